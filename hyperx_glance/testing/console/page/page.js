/** Starts the page: its language and colours, the login, and the list. */

import { create, iAm, servers } from "./actions.js";
import { ask, ENDED } from "./api.js";
import { button, dialog, field, find, guarded, make } from "./dom.js";
import { load, prepare } from "./list.js";
import { followUnfinished, whenChanged } from "./tasks.js";
import { language, say } from "./texts.js";

let me = null;
let entrance = null;
const start = await ask("GET", "start");

function frame() {
  document.documentElement.lang = language === "zh" ? "zh-CN" : "en";
  document.title = say("title");
  for (const element of document.querySelectorAll("[data-text]")) element.textContent = say(element.dataset.text);
  for (const element of document.querySelectorAll("[data-label]")) element.setAttribute("aria-label", say(element.dataset.label));
  find("#search").placeholder = say("search");
  find("#language").value = language;
  find("#language").addEventListener("change", ({ target }) => {
    localStorage.setItem("language", target.value);
    location.reload(); // what is shown is in the address
  });
  const theme = (name) => {
    document.documentElement.dataset.theme = name;
    find("#theme").textContent = say(name === "dark" ? "theme_light" : "theme_dark");
  };
  theme(localStorage.getItem("theme") ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light"));
  find("#theme").addEventListener("click", () => {
    theme(document.documentElement.dataset.theme === "dark" ? "light" : "dark");
    localStorage.setItem("theme", document.documentElement.dataset.theme);
  });
  find("#log-out").addEventListener("click", guarded(async () => { await ask("POST", "logout", {}); location.reload(); }));
  find("#servers").addEventListener("click", guarded(servers));
  find("#create .menu").append(...["image", "iso"].map((kind) => button(say(`create_${kind}`), () => create(kind))));
  // A menu closes with Escape, and with a click: on one of its buttons, or elsewhere.
  const close = (left) => { for (const each of document.querySelectorAll("details[open]:has(> .menu)")) if (left(each)) each.open = false; };
  addEventListener("click", ({ target }) => close((each) => !find("summary", each).contains(target)));
  addEventListener("keydown", ({ key }) => close(() => key === "Escape"));
}

/** Ask who it is, above what is there: forms that are being filled in stay as they are. */
function logIn(reason = "") {
  if (entrance?.isConnected) return;
  const people = start.people.map(({ username, project_name }) => button(`${username} · ${project_name}`, () => {
    find("[name=username]", entrance).value = username;
    find("[name=project_name]", entrance).value = project_name;
    find("[name=password]", entrance).focus();
  }));
  const before = me;
  const fields = [
    make("p", { class: "quiet" }, reason || (people.length ? say("test_cloud") : "")), people.length ? make("div", { class: "row" }, people) : null,
    field({ name: "username", label: say("user"), autocomplete: "username", required: true, value: before?.username }),
    field({ name: "password", label: say("password"), type: "password", autocomplete: "current-password", required: true }),
    field({ name: "project_name", label: say("project"), required: true, value: before?.department }),
  ];
  entrance = dialog(say("log_in"), fields, async (who) => {
    const now = await ask("POST", "login", { ...who, domain_id: start.people[0]?.domain_id ?? "default" });
    if (before && before.user_id !== now.user_id) location.reload(); // another person's forms are none of theirs
    return () => enter(now);
  }, { ok: say("log_in"), stays: true });
}

async function enter(who) {
  me = who;
  iAm(who);
  find("#who").textContent = say("who", { user: who.username, department: who.department });
  find("#console").hidden = find("#log-out").hidden = false;
  await load();
  await followUnfinished().catch(() => {});
}

frame();
prepare(start.page_sizes);
whenChanged(load);
addEventListener(ENDED, ({ detail }) => { logIn(me ? say("session_ended") : detail.error); });
if (start.logged_in) await ask("GET", "me").then(enter, () => {});
else logIn();
