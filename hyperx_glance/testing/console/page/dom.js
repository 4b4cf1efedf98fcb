/** Makes elements, forms and dialogues. Whatever people typed is set as text, never as markup. */

import { language, say } from "./texts.js";

/** Make an element: attributes, listeners as functions, and children that are nodes or texts. */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name, value);
    else if (value !== false && value !== undefined && value !== null) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(2).filter((child) => child !== null && child !== undefined && child !== ""));
  return element;
}

export const find = (selector, within = document) => within.querySelector(selector);

/** A listener that shows what goes wrong in another one. */
export const guarded = (press) => async (event) => {
  try { await press(event); } catch (error) { problem(error); }
};

/** A button; with a reason, it does nothing but say why: it can be reached by the keyboard, so the reason can be read. */
export function button(text, press, attributes, reason) {
  const does = reason ? { "aria-disabled": "true", title: reason, "aria-description": reason } : { click: guarded(press) };
  return make("button", { type: "button", ...does, ...attributes }, text);
}

/** Show an error that belongs to no field: in the dialogue that is open, or else above the list. */
export function problem(error, about = "") {
  const place = find("dialog:last-of-type form > .error") ?? find("#problem");
  place.textContent = [about, error.error ?? String(error), ...Object.values(error.fields ?? {}), error.hint].filter(Boolean).join("\n");
}

/** Bytes in words; `null` if nobody knows. */
export function bytes(count) {
  if (count === null || count === undefined) return "–";
  const units = ["byte", "kilobyte", "megabyte", "gigabyte", "terabyte"];
  const power = count < 1000 ? 0 : Math.min(Math.floor(Math.log10(count) / 3), 4);
  const style = { style: "unit", unit: units[power], unitDisplay: power ? "short" : "long", maximumFractionDigits: 1 };
  return new Intl.NumberFormat(language, style).format(count / 1000 ** power);
}

export const time = (text) =>
  text ? new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" }).format(new Date(text)) : "–";

/** Show what happened, and tell it to a screen reader. */
export const tell = (text) => { find("#notice").textContent = text; };

let numbers = 0;

/** Make a field of a form: its name, whose errors it shows, type or options, value, help, and attributes of the input. */
export function field({ name, errors = name, label, type = "text", options, value, help, ...attributes }) {
  const id = `field-${++numbers}`;
  const described = { id, name, "aria-describedby": `${id}-help ${id}-error`, ...attributes };
  const input = options
    ? make("select", described, options.map(([word, text, off]) => make("option", { value: word, disabled: Boolean(off), title: off }, text)))
    : make("input", { type, autocomplete: "off", ...described });
  if (type === "checkbox") input.checked = Boolean(value);
  else if (value !== undefined && value !== null) input.value = value;
  const parts = [make("label", { for: id }, label ?? say(name)), input];
  return make("div", { class: type === "checkbox" ? "field switch" : "field", "data-field": errors }, type === "checkbox" ? parts.reverse() : parts,
    make("span", { id: `${id}-help`, class: "quiet" }, help), make("span", { id: `${id}-error`, class: "error" }));
}

/** Read a form: numbers are numbers, switches booleans; a text that is empty counts only if it can clear something. */
function values(form, keepEmpty) {
  const read = {};
  for (const input of form.elements) {
    if (!input.name || input.closest("[hidden]")) continue;
    if (input.type === "checkbox") read[input.name] = input.checked;
    else if (input.type === "file") read[input.name] = input.files[0];
    else if (input.value !== "" || keepEmpty) read[input.name] = input.type === "number" ? Number(input.value) : input.value;
  }
  return read;
}

/** Show an error: each part beside the field that caused it, the rest above the buttons. */
function showError(form, error) {
  for (const place of form.querySelectorAll(".error")) place.textContent = "";
  for (const input of form.querySelectorAll("[aria-invalid]")) input.removeAttribute("aria-invalid");
  const rest = {};
  for (const [name, said] of Object.entries(error.fields ?? {})) {
    const place = find(`[data-field~="${CSS.escape(name)}"]:not([hidden])`, form);
    if (!place) { rest[name] = said; continue; }
    find(".error", place).textContent = said;
    find("input, select", place).setAttribute("aria-invalid", "true");
    place.closest("details")?.setAttribute("open", "");
  }
  const isToldBeside = error.fields && Object.keys(error.fields).length > Object.keys(rest).length;
  problem(isToldBeside ? { error: "", fields: rest, hint: error.hint } : { ...error, fields: {} });
  (find('[aria-invalid="true"]', form) ?? find("[type=submit]", form)).focus();
}

/** Open a form as a dialogue. It closes once `submit` has succeeded; what that returns is called then. */
export function dialog(title, content, submit, { ok = say("ok"), keepEmpty = false, stays = false, closed = () => {} } = {}) {
  const id = `title-${++numbers}`;
  const press = async (event) => {
    event.preventDefault();
    if (!submit) return; // Enter in a field
    const end = find("[type=submit]", form);
    end.disabled = true;
    try {
      const then = await submit(values(form, keepEmpty));
      box.close();
      await then?.();
    } catch (error) {
      end.disabled = false;
      if (box.open) showError(form, error);
      else if (error.name !== "AbortError") problem(error);
    }
  };
  const leave = stays ? null : button(say(submit ? "cancel" : "close"), () => box.close());
  const form = make("form", { class: "fields", novalidate: true, submit: press }, make("h2", { id }, title), content,
    make("p", { class: "error", role: "alert" }), make("div", { class: "ends" }, leave, submit ? make("button", { type: "submit", class: "first" }, ok) : null));
  const box = make("dialog", { "aria-labelledby": id, closedby: stays ? "none" : "closerequest", close: () => { box.remove(); closed(); } }, form);
  document.body.append(box);
  box.showModal();
  return box;
}
