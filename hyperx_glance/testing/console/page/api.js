/** Speaks with the back end. The cookie of the session is the browser's alone; no secret is in an address. */

import { say } from "./texts.js";

/** An error of the back end: its sentences are for people already. */
export class Failure extends Error {
  constructor(status, { error = say("unreachable"), hint = "", fields = {}, explanation = "" } = {}) {
    super(error);
    Object.assign(this, { status, error, hint, fields, explanation });
  }
}

/** Sent to `window` when the session has ended. */
export const ENDED = "session-ended";

export async function ask(method, path, body, signal) {
  const headers = method === "GET" ? {} : { "X-Console": "1" };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  try {
    const answer = await fetch(`/api/${path}`, { method, headers, signal, body: JSON.stringify(body) });
    return read(path, answer.status, await answer.text());
  } catch (error) {
    throw error instanceof Failure || error.name === "AbortError" ? error : new Failure(0);
  }
}

function read(path, status, text) {
  const said = text.startsWith("{") || text.startsWith("[") ? JSON.parse(text) : undefined;
  if (status < 400) return said ?? null;
  const failure = new Failure(status, said);
  if (status === 401 && path !== "login") dispatchEvent(new CustomEvent(ENDED, { detail: failure }));
  throw failure;
}

/** Send a file, and report how much of it has been sent. */
export function upload(path, file, progress, signal) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("PUT", `/api/${path}`);
    request.setRequestHeader("X-Console", "1");
    request.setRequestHeader("Content-Type", "application/octet-stream");
    request.upload.addEventListener("progress", ({ loaded, total }) => progress(loaded, total));
    request.addEventListener("load", () => {
      try { resolve(read(path, request.status, request.responseText)); } catch (error) { reject(error); }
    });
    // An answer that comes before the whole file has been sent is lost here, but the back end keeps it.
    request.addEventListener("error", () => ask("GET", path).then(({ error }) => reject(new Failure(0, error ?? {})), reject));
    request.addEventListener("abort", () => reject(new DOMException("", "AbortError")));
    signal.addEventListener("abort", () => request.abort());
    request.send(file);
  });
}
