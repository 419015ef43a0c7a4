// The page's texts, and the place where it says what happened elsewhere on it.

export const root = document.querySelector("[data-autosave]");
const news = root.querySelector("[data-autosave-news]");

export const text = (name, values = {}) =>
  root.dataset[`text${name}`].replace(/\{(\w+)\}/g, (_match, key) => values[key] ?? "");

// The same sentence twice is two pieces of news.
export function announce(words) {
  if (news) news.textContent = news.textContent === words ? `${words}\u00a0` : words;
}

export function element(name, properties = {}, ...children) {
  const { dataset = {}, ...own } = properties;
  const made = Object.assign(document.createElement(name), own);
  Object.assign(made.dataset, dataset);
  made.append(...children);
  return made;
}

// What a person wrote: kept apart from the sentence around it, whichever way it is read.
export const written = (words, dataset = {}) => element("bdi", { className: "by-hand", textContent: words, dataset });

export function button(name, act, about = "") {
  const made = element("button", { type: "button", className: "button-secondary button-small", textContent: text(name) });
  if (about) made.append(element("span", { className: "visually-hidden", textContent: ` (${about})` }));
  made.addEventListener("click", act);
  return made;
}
