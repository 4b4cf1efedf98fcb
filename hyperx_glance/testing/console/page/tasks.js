/** Shows what takes long: images that are being made and launches, by one stream of events, also after a reload. */

import { ask } from "./api.js";
import { button, bytes, find, make, tell } from "./dom.js";
import { say } from "./texts.js";

const UNDER_WAY = ["registered", "downloading", "storing"];
const MOST = 20; // that one stream follows
const tasks = new Map(); // by "image ID" or "launch ID"
let stream = null;
let changed = () => {};

/** Call this when something has ended, and the list is to be read again. */
export const whenChanged = (listener) => { changed = listener; };

export function followImage({ id, name, capture_id }) {
  follow(`image ${id}`, name, capture_id ? `captures/${capture_id}` : `registrations/${id}`);
}

export const followLaunch = (id, name) => follow(`launch ${id}`, name, `launches/${id}`);

/** Follow what a list shows to be under way. */
export function followRows(rows) {
  for (const { image } of rows) if (UNDER_WAY.includes(image.phase)) followImage(image);
}

/** Find after a reload what this person has begun. */
export async function followUnfinished() {
  followRows(await ask("GET", "registrations"));
  for (const { launch_id, servers } of await ask("GET", "launches")) {
    if (servers.some((server) => server.status === "BUILD")) followLaunch(launch_id, servers[0].name);
  }
}

export function forget() {
  tasks.clear();
  find("#tasks").replaceChildren();
  stream?.close();
}

function follow(key, name, path) {
  if (tasks.has(key)) return;
  const bar = make("progress", { "aria-label": name });
  const stop = button(say("cancel"), () => cancel(key, path), { "aria-label": say("cancel_task", { name }) });
  const words = make("span", {}, name);
  tasks.set(key, { name, words, bar, stop, phase: "", element: make("div", { class: "task" }, make("div", { class: "row" }, words, make("span", { class: "spring" }), stop), bar) });
  find("#tasks").append(tasks.get(key).element);
  open();
}

async function cancel(key, path) {
  try {
    await ask("DELETE", path);
    if (key.startsWith("image")) leave(key);
    changed();
  } catch (error) {
    if (tasks.has(key)) show(tasks.get(key), error.error, "");
  }
}

function leave(key) {
  tasks.get(key)?.element.remove();
  tasks.delete(key);
  open();
}

let opening = 0;
function open() {
  clearTimeout(opening);
  opening = setTimeout(() => {
    stream?.close();
    const ids = [...tasks].filter(([, task]) => !task.ended).slice(0, MOST).map(([key]) => key.split(" "));
    if (!ids.length) return;
    stream = new EventSource(`/api/events?${new URLSearchParams(ids)}`);
    const on = (name, react) => stream.addEventListener(name, ({ data }) => react(JSON.parse(data)));
    on("image", (said) => image(`image ${said.id}`, said));
    on("launch", (said) => launch(`launch ${said.id}`, said));
    on("gone", ({ id }) => [`image ${id}`, `launch ${id}`].forEach(leave));
    on("end", () => stream.close());
    // A browser connects again by itself if the connection is cut, but not after an error status, such as 401.
    stream.addEventListener("error", () => {
      if (stream.readyState === EventSource.CLOSED) ask("GET", "me").then(() => setTimeout(open, 5000), () => {});
    });
  });
}

function image(key, { phase, bytes_done, bytes_expected, message, ended }) {
  const amount = bytes_done === null ? "" : ` (${say("bytes_of", { done: bytes(bytes_done), all: bytes(bytes_expected) })})`;
  const task = tasks.get(key);
  if (task) progress(key, task, say(phase) + amount, phase, bytes_expected && bytes_done !== null ? bytes_done / bytes_expected : null, message, ended, phase !== "failed");
}

function launch(key, { active, building, failed, count, servers, ended }) {
  const faults = servers.map((server) => server.fault).filter(Boolean).join("\n");
  const task = tasks.get(key);
  if (task) progress(key, task, `${active} / ${count}`, `${active} ${failed} ${building}`, active / count, faults, ended, !failed);
}

function progress(key, task, words, phase, part, message, ended, good) {
  show(task, words, message);
  if (part === null) task.bar.removeAttribute("value");
  else task.bar.value = part;
  if (phase !== task.phase) tell(say("task_state", { name: task.name, phase: words }));
  task.phase = phase;
  if (!ended || task.ended) return;
  task.ended = true;
  changed();
  if (good) leave(key);
  else {
    task.bar.remove();
    task.stop.replaceWith(button(say("close"), () => leave(key), { "aria-label": `${say("close")} ${task.name}` }));
  }
}

function show(task, words, message) {
  task.words.textContent = [say("task_state", { name: task.name, phase: words }), message].filter(Boolean).join("\n");
}
