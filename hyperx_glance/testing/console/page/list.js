/** The list: tabs, tags, search, filters, sorting, pages and rows. Its whole state is in the page's address. */

import { ask } from "./api.js";
import { button, bytes, field, find, make, problem, time } from "./dom.js";
import { act, details } from "./actions.js";
import { say } from "./texts.js";
import { followRows } from "./tasks.js";

const VIEWS = ["all", "featured", "public", "private", "shared", "offered"];
const FORMATS = ["qcow2", "raw", "vmdk", "vhd", "vhdx", "vdi", "iso"];
const COLUMNS = { name: "name", created_at: "created_at", disk_format: "disk_format", size: "", state: "glance_status", owner: "", password_enabled: "", description: "" };
const FIRST_ACTIONS = ["launch", "edit", "delete"];
const MORE_ACTIONS = ["publish", "withdraw", "feature", "enable", "disable", "protect", "unprotect", "download", "share", "accept", "decline", "deprecate", "reinstate"];
const inBytes = (mib) => Number(mib) * 2 ** 20;
/** How a filter's text in the address is written for the back end, if differently. */
const WRITTEN = {
  min_size: inBytes, max_size: inBytes,
  created_after: (text) => new Date(`${text}T00:00:00`).toISOString(),
  created_before: (text) => new Date(`${text}T23:59:59.999`).toISOString(),
};
const TEXT_FILTERS = ["name_contains", "description_contains", "os_name_contains", "os_distro", "hypervisor", "architecture", "owner", "family"];

let sizes = [20];
let counted = null;
let reading = new AbortController();

const state = () => new URLSearchParams(location.search);

/** Return the address of the state with changes; without a cursor of its own, it is the first page again. */
function addressOf(changes) {
  const next = state();
  for (const [name, value] of Object.entries({ cursor: null, ...changes })) {
    if (value === null || value === "" || value === undefined) next.delete(name);
    else next.set(name, value);
  }
  return next.size ? `/?${next}` : "/";
}

/** Go to another state: the back key leads back to this one, unless it only continues what is being typed. */
function go(changes, replace = false) {
  history[replace ? "replaceState" : "pushState"](null, "", addressOf(changes));
  return load();
}

function link(text, changes, attributes = {}) {
  const press = (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return; // another tab or window of the browser
    event.preventDefault();
    go(changes);
  };
  return make("a", { href: addressOf(changes), click: press, ...attributes }, text);
}

/** Read and show the rows that the address asks for, and the counts of the tabs beside. */
export async function load() {
  reading.abort();
  const { signal } = (reading = new AbortController());
  const now = state();
  find("#rows").setAttribute("aria-busy", "true");
  if (document.activeElement !== find("#search")) find("#search").value = now.get("search") ?? "";
  find("#kind").value = now.get("kind") ?? now.get("formats") ?? "";
  for (const input of find("#filters").querySelectorAll("[name]")) input.value = state().get(input.name) ?? "";
  try {
    for (const [name, write] of Object.entries(WRITTEN)) if (now.has(name)) now.set(name, write(now.get(name)));
    views();
    const page = await ask("GET", `images?${now}`, undefined, signal);
    find("#problem").textContent = "";
    rows(page);
    followRows(page.rows);
    counts(signal).catch(() => {}); // after the rows, which are looked for first
  } catch (error) {
    if (signal.aborted) return;
    problem(error);
    rows({ rows: [], next: null, previous: null });
  }
  find("#rows").removeAttribute("aria-busy");
}

async function counts(signal) {
  const { counts: found, tags } = await ask("GET", "tabs", undefined, signal);
  counted = found;
  views();
  const chosen = state().get("tags");
  const mark = (is) => ({ "aria-current": is ? "true" : null });
  find("#tags").replaceChildren(
    link(say("all_tags"), { tags: null }, mark(!chosen)),
    ...Object.entries(tags).map(([tag, count]) => link(`${tag} ${count}`, { tags: tag }, mark(tag === chosen))),
  );
}

/** Show the tabs that this person may list, with their counts once these are known. */
function views() {
  const view = state().get("view") ?? "all";
  const links = VIEWS.filter((name) => !counted || name in counted).map((name) =>
    link(`${say(`view_${name}`)} ${counted?.[name] ?? ""}`.trim(), { view: name === "all" ? null : name, tags: null }, { "aria-current": name === view ? "page" : null, "data-key": name }));
  keepFocus(find("#views"), () => find("#views").replaceChildren(...links));
}

function heading(name, column) {
  if (!column) return make("th", { scope: "col" }, say(name));
  const sorted = state().get("sort") ?? "-created_at";
  const order = sorted === column ? "ascending" : sorted === `-${column}` ? "descending" : null;
  const sort = () => go({ sort: order === "ascending" ? `-${column}` : column });
  const sign = { ascending: " ▲", descending: " ▼" }[order] ?? "";
  return make("th", { scope: "col", "aria-sort": order }, button(say(name) + sign, sort, { "aria-label": say("sort_by", { column: say(name) }), "data-key": column }));
}

function rows({ rows: found, next, previous }) {
  const heads = Object.entries(COLUMNS).map(([name, column]) => heading(name, column));
  keepFocus(find("#console"), () => {
    find("#rows caption").textContent = found.length ? say("rows_shown", { count: found.length }) : say("no_rows");
    find("#rows thead").replaceChildren(make("tr", {}, heads, make("th", { scope: "col" }, say("actions"))));
    find("#rows tbody").replaceChildren(...found.map(row));
    const turn = (name, cursor, possible) => button(say(name), () => go({ cursor }), { disabled: !possible, "data-key": name });
    const size = field({ name: "size", label: say("page_size"), options: sizes.map((each) => [each, each]), value: state().get("size") ?? 20, change: (event) => go({ size: event.target.value }) });
    find("#pages").replaceChildren(turn("page_first", null, state().has("cursor")), turn("page_previous", previous, previous), turn("page_next", next, next), size);
  });
}

function row(found) {
  const { image, owner } = found;
  const cell = (name, ...content) => make("td", { "data-column": say(name) }, content);
  const phase = image.phase === "ready" ? "" : ` (${say(image.phase)})`;
  const notes = [image.category, image.lifecycle === "current" ? "" : image.lifecycle, image.protected ? "protected" : ""];
  const menu = make("div", { class: "menu" });
  const more = make("details", { toggle: () => menu.replaceChildren(...MORE_ACTIONS.map((action) => press(action, found))) },
    make("summary", { "aria-label": say("more_for", { name: image.name }), "data-key": `more ${image.id}` }, say("more")), menu);
  return make("tr", { "data-id": image.id },
    make("th", { scope: "row" }, button(image.name || image.id, () => details(found), { class: "name", "data-key": image.id }),
      make("div", { class: "quiet" }, [...notes.filter(Boolean).map((word) => say(word)), ...image.tags].join(" · "))),
    cell("created_at", time(image.created_at)),
    cell("disk_format", image.disk_format || "–"),
    cell("size", bytes(image.size)),
    cell("state", make("span", { class: `state-${image.state}` }, image.state), phase, image.failure && make("div", { class: "error" }, image.failure)),
    cell("owner", owner),
    cell("password_enabled", say(image.password_enabled ? "yes" : "no")),
    cell("description", image.description),
    cell("actions", make("div", { class: "buttons" }, FIRST_ACTIONS.map((action) => press(action, found)), more)),
  );
}

/** The button of an action. */
function press(action, found) {
  const { image, why_not } = found;
  const [word, reason] = [say(action), why_not[action]];
  const marks = { "aria-label": say("action_for", { action: word, name: image.name }), "data-key": `${action} ${image.id}` };
  if (action === "download" && !reason) return make("a", { class: "button", href: `/api/images/${image.id}/file`, download: "", ...marks }, word);
  return button(word, () => act(action, found), marks, reason);
}

/** Put the focus onto what replaces the element that had it. */
function keepFocus(within, replace) {
  const key = within.contains(document.activeElement) ? document.activeElement.dataset.key : undefined;
  replace();
  if (key && document.activeElement === document.body) find(`[data-key="${CSS.escape(key)}"]`)?.focus();
}

/** Set up what stays while rows come and go. */
export function prepare(pageSizes) {
  sizes = pageSizes;
  let typing = 0;
  find("#search").addEventListener("input", ({ target }) => {
    clearTimeout(typing);
    typing = setTimeout(() => go({ search: target.value }, true), 200);
  });
  const options = (names) => [["", say("any")], ...names.map((name) => [name, say(name)])];
  const formats = FORMATS.map((name) => [name, name]);
  const kinds = [["", say("all_kinds")], ["image", say("image")], ["iso", say("iso")], ...formats.filter(([name]) => name !== "iso")];
  find("#kind").append(...kinds.map(([value, text]) => make("option", { value }, text)));
  find("#kind").addEventListener("change", ({ target: { value } }) =>
    go(["image", "iso"].includes(value) ? { kind: value, formats: null } : { kind: null, formats: value }));
  find("#refresh").addEventListener("click", load);
  const fields = [
    ...TEXT_FILTERS.map((name) => field({ name })),
    field({ name: "formats", options: [["", say("any")], ...formats] }),
    field({ name: "state", options: options(["ACTIVE", "INACTIVE"]) }),
    field({ name: "lifecycle", options: options(["current", "deprecated", "obsolete"]) }),
    ...["password_enabled", "protected", "bootable"].map((name) => field({ name, options: [["", say("any")], ["true", say("yes")], ["false", say("no")]] })),
    ...["min_size", "max_size"].map((name) => field({ name, type: "number", min: 0 })),
    ...["created_after", "created_before"].map((name) => field({ name, type: "date" })),
  ];
  const empty = Object.fromEntries(fields.map((each) => [each.dataset.field, null]));
  const filter = (event) => { event.preventDefault(); go({ ...empty, ...Object.fromEntries(new FormData(event.target)) }); };
  const clear = button(say("clear"), () => go({ ...empty, kind: null, tags: null, search: null }));
  find("#filters").append(make("form", { submit: filter }, make("div", { class: "fields" }, fields),
    make("div", { class: "row" }, make("button", { class: "first" }, say("apply")), clear)));
  find("#filters").open = fields.some((each) => state().has(each.dataset.field));
  addEventListener("popstate", load);
}
