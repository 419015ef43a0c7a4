// What the page says to the server, and who is signed in there.

import { root, text } from "./page.js";

const GIVE_UP_WAITING = 20000;
const LONGEST_PAUSE = 600000;
const listeners = [];

export const isWorthRetrying = (status) => status === 0 || status >= 500 || [401, 403, 408, 429].includes(status);

// Called with each answer of the server: { status, body, pause }; status 0 is none. The pause is that of Retry-After, in
// milliseconds, or 0; others were told the same, so that each adds a little of its own.
export const onReply = (listener) => listeners.push(listener);

// Signing in again changes the token, so the cookie knows better than the form.
// Over https its name has a prefix, once each process of the server knows it.
export function token() {
  const value = ["__Host-csrftoken", "csrftoken"].map(cookie).find(Boolean);
  return value ?? document.querySelector("[name=csrfmiddlewaretoken]")?.value;
}

const cookie = (name) => document.cookie.split("; ").find((pair) => pair.startsWith(`${name}=`))?.slice(name.length + 1);

async function ask(method, headers, body) {
  let reply = { status: 0, body: {}, pause: 0 };
  try {
    const response = await fetch(root.dataset.autosave, {
      method,
      body,
      headers: { Accept: "application/json", "X-Person": root.dataset.autosavePerson, ...headers },
      cache: "no-store",
      credentials: "same-origin",
      signal: AbortSignal.timeout(GIVE_UP_WAITING),
    });
    const isJson = response.headers.get("Content-Type")?.startsWith("application/json");
    const seconds = Number(response.headers.get("Retry-After") ?? 0); // a date is NaN
    const pause = seconds > 0 ? Math.min(LONGEST_PAUSE, seconds * 1000 * (1 + Math.random() / 4)) : 0;
    reply = { status: response.status, body: isJson ? await response.json() : {}, pause };
  } catch (error) {
    console.info("The server could not be asked.", error);
  }
  listeners.forEach((listener) => listener(reply));
  return reply;
}

export const load = () => ask("GET", {});

export function post({ question, ...change }) {
  const { value, note, value_version, note_version } = change;
  const changes = [{ question, value, note, value_version, note_version }]; // what is undefined is left out
  return ask("POST", { "Content-Type": "application/json", "X-CSRFToken": token() }, JSON.stringify({ changes }));
}

// Why an answer is not saved, as the end of "Not saved: ".
export function reasonOf({ status, body }, id) {
  if (status === 404) return text("Gone");
  if (body.errors?.[id] ?? body.message) return body.errors?.[id] ?? body.message;
  if (status === 0) return text(navigator.onLine ? "Unreached" : "Offline");
  return isWorthRetrying(status) && status !== 403 ? text("Busy") : text("Refused");
}
