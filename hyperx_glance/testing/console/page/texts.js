/** The page's own texts in the person's language. What the library and a service say comes from the back end, in the same language. */

import TEXTS from "/static/texts.json" with { type: "json" };

export const language = (localStorage.getItem("language") ?? navigator.language).toLowerCase().startsWith("zh") ? "zh" : "en";
document.cookie = `language=${language}; path=/; samesite=strict`; // the back end reads it, also for streams of events

/** Characters that change the direction of what follows them: a value with one of them is kept to itself. */
const DIRECTION = /[\u0590-\u08ff\u200e\u200f\u202a-\u202e\u2066-\u2069\ufb1d-\ufefc]/;
const isolated = (text) => (DIRECTION.test(text) ? `\u2068${text}\u2069` : text);

/** Return a text, with values in its placeholders. */
export function say(key, values = {}) {
  return TEXTS[key][language === "zh" ? 1 : 0].replace(/\{(\w+)\}/g, (_, name) => isolated(values[name]));
}
