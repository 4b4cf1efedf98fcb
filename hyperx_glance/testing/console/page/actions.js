/** What a person does with one image or one virtual machine, and the forms for it. */

import { ask, upload } from "./api.js";
import { button, bytes, dialog, field, find, guarded, make, problem, tell, time } from "./dom.js";
import { load } from "./list.js";
import { followImage, followLaunch } from "./tasks.js";
import { say } from "./texts.js";

let me = {};
export const iAm = (who) => { me = who; };

const listed = (text) => (text ?? "").split(/[,，]/).map((each) => each.trim()).filter(Boolean);
const FACTS = ["id", "category", "description", "disk_format", "size", "os_name", "hypervisor", "architecture", "family", "url", "checksum", "admin_user", "owner", "created_at", "failure"];
const DESCRIBING = ["os_name", "os_distro", "os_version", "os_type", "architecture"];
const NEEDS = ["min_disk_gib", "min_ram_mib"];

const categories = () => ["public", "private", ...(me.is_administrator ? ["featured"] : [])].map((word) => [word, say(word)]);
const number = (name, value, more = {}) => field({ name, type: "number", min: 0, value, ...more });
const facts = (entries) => make("dl", { class: "facts" }, entries.flatMap(([name, text]) => [make("dt", {}, name), make("dd", {}, text)]));
const more = (...fields) => make("details", {}, make("summary", {}, say("more")), make("div", { class: "fields" }, fields));

/** Tell that something is done; what is returned reads the list again. */
function done(action, name) {
  tell(say("done", { action: say(action), name }));
  return load;
}

/** Do what a button of a row says. */
export function act(action, found) {
  return ({ launch, edit, delete: remove, share }[action] ?? simple)(found, action);
}

async function simple({ image }, action) {
  try {
    await ask("POST", `images/${image.id}/actions`, { action });
    await done(action, image.name)();
  } catch (error) {
    await load();
    problem(error, image.name);
  }
}

export function details({ image, owner }) {
  const shown = { ...image, owner, size: bytes(image.size), category: say(image.category), created_at: time(image.created_at) };
  dialog(image.name || image.id, [facts(FACTS.filter((name) => shown[name]).map((name) => [say(name), shown[name]]))]);
}

/** The quota of the department, with what is about to be used. */
async function quota(resources, needs = "") {
  const told = await ask("GET", "quota");
  const use = ({ used, limit, remaining }) => say(limit === null ? "quota_unlimited" : "quota_left", { used, limit, remaining });
  return make("section", { class: "quota" }, make("h3", {}, say("quota_of", told)), make("p", { class: "needs" }, needs),
    facts(resources.filter((name) => told[name]).map((name) => [say(name), use(told[name])])), told.notes.map((note) => make("p", { class: "quiet" }, note)));
}

export async function create(kind) {
  const iso = kind === "iso";
  const needs = (size) => say("quota_needs", { size: size ? bytes(size) : say("unknown_size") });
  const room = await quota(["images", "image_size_mib"], needs());
  const url = field({ name: "url", type: "url", required: true });
  const file = field({ name: "file", errors: "file size", type: "file", required: true, change: ({ target }) => { find(".needs", room).textContent = needs(target.files[0]?.size); } });
  const report = make("p", { class: "quiet", role: "status" });
  const tested = (name, ...said) => { report.className = name; report.textContent = said.filter(Boolean).join("\n"); };
  const test = button(say("test_url"), async () => {
    try {
      const told = await ask("POST", "url-reports", { url: find("input", url).value });
      find(".needs", room).textContent = needs(told.size);
      const good = say("url_good", { file: told.file_name || told.final_url, format: told.disk_format ?? "–", size: told.size === null ? say("unknown_size") : bytes(told.size) });
      tested(told.problem ? "error" : "quiet", told.problem ? "" : good, ...told.warnings);
    } catch (error) { tested("error", error.fields?.url ?? error.error, error.hint); }
  });
  const source = field({ name: "source", options: [["url", say("from_url")], ["file", say("from_file")]], change: ({ target }) => choose(target.value) });
  const choose = (name) => { for (const each of [url, test, report, file]) each.hidden = (each === file) !== (name === "file"); };
  choose("url");
  const bar = make("progress", { max: 1, hidden: true, "aria-label": say("from_file") });
  const formats = ["", "qcow2", "raw", "vmdk", "vhd", "vhdx", "vdi"].map((name) => [name, name || say("format_by_data")]);
  const own = iso ? field({ name: "bootable", type: "checkbox", value: true })
    : [field({ name: "disk_format", options: formats }), field({ name: "hypervisor" }), field({ name: "password_enabled", type: "checkbox" }), field({ name: "admin_user" })];
  const stop = new AbortController();
  const content = [
    field({ name: "name", required: true }), source, url, test, report, file, bar, room,
    field({ name: "category", options: categories(), value: "public" }), field({ name: "description" }), own,
    more(DESCRIBING.map((name) => field({ name })), field({ name: "tags" }), NEEDS.map((name) => number(name, 0)),
      field({ name: "checksum", help: say("checksum_help") }), field({ name: "checksum_url", type: "url", help: say("checksum_url_help") }), field({ name: "protected", type: "checkbox" }), me.is_administrator ? field({ name: "owner" }) : null),
  ];
  dialog(say(`create_${kind}`), content, async (given) => {
    const { source: from, file: data, ...wanted } = { ...given, kind, tags: listed(given.tags) };
    if (from === "url") {
      const { id } = await ask("POST", "images", wanted);
      followImage({ id, name: wanted.name });
      return load;
    }
    const { id } = await ask("POST", "uploads", { ...wanted, size: data?.size ?? 0 });
    bar.hidden = false;
    try {
      await upload(`uploads/${id}`, data, (sent, all) => { bar.value = sent / all; }, stop.signal);
      return done(`create_${kind}`, wanted.name);
    } catch (error) {
      if (stop.signal.aborted) await ask("DELETE", `registrations/${id}`);
      throw error;
    } finally { bar.hidden = true; }
  }, { closed: () => stop.abort() });
}

async function edit({ image: { id } }) {
  const { image } = await ask("GET", `images/${id}`);
  const before = { ...image, tags: image.tags.join(", ") };
  const fields = [
    ...["name", "description", ...DESCRIBING, "tags"].map((name) => field({ name, value: before[name], required: name === "name" })),
    ...NEEDS.map((name) => number(name, before[name])),
    image.kind === "iso" ? field({ name: "bootable", type: "checkbox", value: image.bootable })
      : [field({ name: "password_enabled", type: "checkbox", value: image.password_enabled }), field({ name: "admin_user", value: image.admin_user })],
    make("p", { class: "quiet" }, say("never_changes")),
  ].flat();
  dialog(say("edit_image"), fields, async (given) => {
    const changes = Object.fromEntries(Object.entries(given).filter(([name, value]) => value !== before[name]));
    if ("tags" in changes) changes.tags = listed(changes.tags);
    await ask("PATCH", `images/${id}`, changes);
    return done("edit", image.name);
  }, { keepEmpty: true });
}

async function remove({ image }) {
  const { servers, not_looked_at: unknown } = await ask("GET", `images/${image.id}/servers`);
  const users = servers.length ? say("servers_using", { servers: servers.map((server) => server.name).join(", ") }) : say("no_servers_using");
  dialog(say("delete_image"), [make("p", {}, say("delete_sure", image)), make("p", { class: "quiet" }, users),
    unknown.length ? make("p", { class: "quiet" }, say("not_looked_at", { services: unknown.join(", ") })) : null], async () => {
    await ask("DELETE", `images/${image.id}`);
    return done("delete", image.name);
  }, { ok: say("confirm") });
}

async function share({ image }) {
  const path = `images/${image.id}/shares`;
  const list = make("ul");
  const show = (shares) => list.replaceChildren(...shares.map(({ department, department_id: id, status }) => make("li", { class: "row" }, `${department}: ${say(status)}`,
    button(say("unshare"), async () => show(await ask("DELETE", `${path}/${id}`)), { "aria-label": `${say("unshare")} ${department}` }))));
  show(await ask("GET", path));
  dialog(`${say("share")} ${image.name}`, [list, field({ name: "departments", required: true })], async ({ departments }) => {
    await ask("POST", path, { departments: listed(departments) });
    return done("share", image.name);
  });
}

async function launch({ image }) {
  const [choices, room] = await Promise.all([ask("GET", `images/${image.id}/form`), quota(["instances", "cores", "ram_mib", "volumes", "volume_gib"])]);
  const flavors = choices.flavors.map((each) => [each.id, say("flavor_text", each) + (each.fits ? "" : ` – ${each.reason}`), each.fits ? null : each.reason]);
  const networks = [["auto", say("auto_network")], ["none", say("none")], ...choices.networks.map(({ id, name }) => [id, name])];
  const named = (list) => [["", say("none")], ...list.map(({ name }) => [name, name])];
  const iso = image.kind === "iso";
  const disk = iso ? number("install_disk_gib", 20, { min: 1, required: true }) : number("boot_volume_gib", null, { min: 1 });
  const layout = iso ? field({ name: "layout", options: [["install", say("layout_install")], ["live", say("layout_live")]], change: ({ target }) => { disk.hidden = target.value === "live"; } }) : null;
  const fields = [
    field({ name: "name", label: say("server_name"), required: true }), field({ name: "flavor", options: flavors }),
    number("count", 1, { label: say("server_count"), min: 1 }), layout, disk, field({ name: "networks", options: networks }),
    field({ name: "key_name", options: named(choices.key_pairs) }), field({ name: "availability_zone", options: named(choices.availability_zones) }),
    image.password_enabled ? field({ name: "admin_password", type: "password", autocomplete: "new-password" }) : null, room,
  ];
  dialog(say("launch_image", image), fields, async ({ networks: network, ...given }) => {
    const made = await ask("POST", `images/${image.id}/servers`, { ...given, networks: ["auto", "none"].includes(network) ? network : [network] });
    followLaunch(made.launch_id, given.name);
    return () => made.admin_password && showPassword(given.name, made.admin_password);
  });
}

/** Show a password: only now, and nowhere else. */
function showPassword(name, password) {
  const said = make("span", { role: "status" });
  const copy = button(say("copy"), () => navigator.clipboard.writeText(password).then(() => { said.textContent = say("copied"); }));
  dialog(name, [make("p", {}, say("password_once")), make("div", { class: "row" }, make("output", { class: "secret" }, password), copy, said)]);
}

/** The department's virtual machines, the newest first, whoever launched them; read in parts, and searched while typing. */
export async function servers() {
  const [list, none] = [make("ul", { class: "stack" }), make("p", { role: "status" })];
  let [asked, last] = [0, null];
  const read = async (after) => {
    const now = ++asked;
    const { servers: found, next } = await ask("GET", `servers?${new URLSearchParams({ name: find("input", name).value, after })}`);
    if (now !== asked) return; // something else has been typed since
    list.replaceChildren(...(after ? list.children : []), ...found.map(serverRow));
    [last, rest.hidden, none.textContent] = [next, !next, list.children.length ? "" : say("no_servers")];
  };
  const name = field({ name: "name_contains", type: "search", maxlength: 255, input: guarded(() => read("")) });
  const rest = button(say("more"), () => read(last));
  await read("");
  dialog(say("servers"), [name, list, none, rest]);
}

function serverRow(server) {
  const known = [server.status, server.flavor, time(server.created_at), ...Object.values(server.addresses).flat(), server.fault];
  const press = (action, open, label) => button(say(action), () => open(server), { "aria-label": label }, server[`why_not_${action}`]);
  return make("li", { class: "task" }, make("strong", {}, server.name), make("span", { class: "quiet" }, known.filter(Boolean).join(" · ")),
    make("div", { class: "row" }, press("capture", capture, say("capture_server", server)), press("reset_password", reset, `${say("reset_password")} ${server.name}`)));
}

function reset(server) {
  const fields = [make("p", {}, say("reset_sure", server)), field({ name: "password", label: say("admin_password"), type: "password", autocomplete: "new-password" })];
  dialog(say("reset_password"), fields, async ({ password = null }) => {
    const { admin_password } = await ask("POST", `servers/${server.id}/password`, { password });
    return () => showPassword(server.name, admin_password);
  });
}

function capture(server) {
  const fields = [field({ name: "name", required: true }), field({ name: "description" }), field({ name: "category", options: categories(), value: "private" }), field({ name: "tags" })];
  dialog(say("capture_server", server), fields, async ({ tags, ...given }) => {
    let { capture_id, image_id } = await ask("POST", `servers/${server.id}/captures`, tags ? { ...given, tags: listed(tags) } : given);
    while (!image_id) {
      await new Promise((resolve) => setTimeout(resolve, 1000));
      ({ image_id } = await ask("GET", `captures/${capture_id}`));
    }
    followImage({ id: image_id, name: given.name, capture_id });
    return load;
  });
}
