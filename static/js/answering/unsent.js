// What is not saved yet stays in this browser's storage, for each tab apart: a reload, a crash or another tab loses nothing.
// A browser that forbids storage still saves; only a closed tab would lose what is unsent, and it warns first.

import { root } from "./page.js";
import { thisTab } from "./tabs.js";

const prefix = `${root.dataset.autosaveStore}.`;
const kept = `${root.dataset.autosaveStore.replace(".unsaved.", ".kept.")}.`;
const own = new Map();
let isOver = false;

const keyOf = (id, tab) => prefix + (tab ? `${id}~${tab}` : id);

function reach(storage, act) {
  try {
    return act(window[storage]);
  } catch (error) {
    console.warn("Plumbline can't reach this browser's storage.", error);
    return null;
  }
}

export const hasOwn = (id) => (id === undefined ? own.size > 0 : own.has(id));

export function remember(id, entry) {
  own.set(id, entry);
  put(id, thisTab, { ...entry, tab: thisTab, at: Date.now() });
}

export function put(id, tab, entry) {
  if (isOver) return;
  reach("localStorage", (storage) => storage.setItem(keyOf(id, tab), JSON.stringify(entry)));
}

export function forget(id, tab = thisTab) {
  if (tab === thisTab) own.delete(id);
  reach("localStorage", (storage) => storage.removeItem(keyOf(id, tab)));
}

// Before parts had versions of their own, an entry had the whole answer's.
const read = ({ version, ...entry }) => (version === undefined ? entry : { value_version: version, note_version: version, ...entry });

export function find(id, tab) {
  const stored = reach("localStorage", (storage) => storage.getItem(keyOf(id, tab)));
  return stored ? read(JSON.parse(stored)) : null;
}

// All that this browser has not saved yet, of whichever tab, the oldest first.
export function all() {
  const found = reach("localStorage", (storage) =>
    Object.keys(storage)
      .filter((key) => key.startsWith(prefix))
      .map((key) => {
        const [id, tab = ""] = key.slice(prefix.length).split("~");
        return { id, tab, entry: read(JSON.parse(storage.getItem(key))) };
      }),
  );
  return (found ?? []).sort((one, other) => (one.entry.at ?? 0) - (other.entry.at ?? 0));
}

export function onChange(listener) {
  addEventListener("storage", ({ key }) => {
    if (key === null || key.startsWith(prefix)) listener();
  });
}

// ------------------------------------------------------------------ what lost, within reach as long as the tab is open
export const keptOf = (id) => reach("sessionStorage", (storage) => JSON.parse(storage.getItem(kept + id))) ?? [];

export function keep(id, lines) {
  reach("sessionStorage", (storage) =>
    lines.length ? storage.setItem(kept + id, JSON.stringify(lines)) : storage.removeItem(kept + id),
  );
}

// Nothing of a draft that is gone stays in this browser.
export function forgetAll() {
  isOver = true;
  for (const { id, tab } of all()) forget(id, tab);
  reach("sessionStorage", (storage) => {
    for (const key of Object.keys(storage)) if (key.startsWith(kept)) storage.removeItem(key);
  });
}
