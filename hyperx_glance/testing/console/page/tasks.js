/** Shows what takes long: images that are being made and launches, by one stream of events, also after a reload. */

import { ask } from "./api.js";
import { button, bytes, find, make, problem, tell } from "./dom.js";
import { say } from "./texts.js";

const UNDER_WAY = ["registered", "downloading", "storing"];
const MOST = 20; // that one stream follows
const tasks = new Map(); // by "image ID" or "launch ID"
let stream = null;
let opening = 0;
let changed = () => {};

/** Call this when something has ended, and the list is to be read again. */
export const whenChanged = (listener) => { changed = listener; };

export const followImage = ({ id, name, capture_id }) => follow(`image ${id}`, name, capture_id ? `captures/${capture_id}` : `registrations/${id}`);
export const followLaunch = (id, name) => follow(`launch ${id}`, name, `launches/${id}`);

/** Follow what a list shows to be under way. */
export function followRows(rows) {
  for (const { image } of rows) if (UNDER_WAY.includes(image.phase)) followImage(image);
}

/** Find what this person has begun, after a reload or another login, which ends the stream. */
export async function followUnfinished() {
  open();
  followRows(await ask("GET", "registrations"));
  const building = (await ask("GET", "launches")).filter(({ servers }) => servers.some((server) => server.status === "BUILD"));
  for (const { launch_id, servers } of building) followLaunch(launch_id, servers[0].name);
}

function follow(key, name, path) {
  if (tasks.has(key)) return;
  const words = make("span", {}, name);
  const bar = make("progress", { "aria-label": name });
  const stop = button(say("cancel"), async () => {
    await ask("DELETE", path);
    if (key.startsWith("image")) leave(key);
    changed();
  }, { "aria-label": say("cancel_task", { name }) });
  const element = make("div", { class: "task" }, make("div", { class: "row" }, words, make("span", { class: "spring" }), stop), bar);
  tasks.set(key, { name, words, bar, stop, element });
  find("#tasks").append(element);
  open();
}

function leave(key) {
  tasks.get(key)?.element.remove();
  tasks.delete(key);
  open();
}

/** Open the stream again for what is followed now, once for several changes. */
function open() {
  clearTimeout(opening);
  opening = setTimeout(() => {
    stream?.close();
    const ids = [...tasks].filter(([, task]) => !task.ended).slice(0, MOST).map(([key]) => key.split(" "));
    if (!ids.length) return;
    stream = new EventSource(`/api/events?${new URLSearchParams(ids)}`);
    const on = (name, react) => stream.addEventListener(name, ({ data }) => react(JSON.parse(data)));
    on("image", image);
    on("launch", launch);
    on("failed", ({ error }) => problem(error));
    on("gone", ({ id }) => [`image ${id}`, `launch ${id}`].forEach(leave));
    on("end", () => stream.close());
    // A browser connects again by itself if the connection is cut, but not after an error status, such as 401.
    stream.addEventListener("error", () => {
      if (stream.readyState === EventSource.CLOSED) ask("GET", "me").then(() => setTimeout(open, 5000), () => {});
    });
  });
}

function image({ id, phase, bytes_done: done, bytes_expected: all, message, ended }) {
  const amount = done === null ? "" : ` (${say("bytes_of", { done: bytes(done), all: bytes(all) })})`;
  show(`image ${id}`, say(phase), amount, done !== null && all ? done / all : null, message, ended, phase !== "failed");
}

function launch({ id, active, failed, count, servers, ended }) {
  const faults = servers.map((server) => server.fault).filter(Boolean).join("\n");
  show(`launch ${id}`, `${active} / ${count}`, "", active / count, faults, ended, !failed);
}

function show(key, phase, amount, part, message, ended, good) {
  const task = tasks.get(key);
  if (!task || task.ended) return;
  const words = say("task_state", { name: task.name, phase });
  task.words.textContent = [words + amount, message].filter(Boolean).join("\n");
  if (part === null) task.bar.removeAttribute("value");
  else task.bar.value = part;
  if (phase !== task.phase) tell(words);
  Object.assign(task, { phase, ended });
  if (!ended) return;
  changed();
  if (good) leave(key);
  else {
    task.bar.remove();
    task.stop.replaceWith(button(say("close"), () => leave(key), { "aria-label": `${say("close")} ${task.name}` }));
  }
}
