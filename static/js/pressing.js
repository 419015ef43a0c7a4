// A press on a button is answered within a second: the next page comes, or this one says what it waits for. Pages that
// save by themselves (answering/leaving.js) say more.

const SOON = 700;
const texts = document.querySelector("[data-press-texts]")?.dataset ?? {};
const timers = new Map();
const places = new Map(); // form -> where this page answers its presses

// Right below the button that was pressed: a form may be long, and a button may be outside of its form.
function placeIn(form, button) {
  const known = places.get(form) ?? form.querySelector("[data-press-state]");
  const place = known ?? document.createElement("p");
  if (!known) {
    Object.assign(place, { className: "press-state", tabIndex: -1 });
    place.setAttribute("role", "status");
    place.dataset.pressState = "";
    places.set(form, place);
  }
  const row = button?.closest(".actions, .cluster") ?? button;
  if (places.has(form)) row ? row.after(place) : form.append(place);
  return place;
}

export function say(form, parts, button = null) {
  const place = placeIn(form, button);
  place.hidden = false;
  place.replaceChildren(...parts);
  return place;
}

export function hush(form) {
  const place = places.get(form) ?? form.querySelector("[data-press-state]");
  if (!place) return;
  place.replaceChildren();
  place.hidden = true;
}

export const sayWaiting = (form, button) => say(form, [texts.textWaiting], button).focus();

const savesItself = (form) => form.closest("[data-autosave]");

// Without a connection the browser would take the page away and show its own.
document.addEventListener(
  "submit",
  (event) => {
    const form = event.target;
    if (navigator.onLine || form.method === "dialog" || savesItself(form)) return;
    event.preventDefault();
    clearTimeout(timers.get(form));
    say(form, [texts.textOffline], event.submitter).focus();
  },
  true,
);

addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented || form.method === "dialog" || (form.target && form.target !== "_self")) return;
  clearTimeout(timers.get(form));
  timers.set(form, setTimeout(sayWaiting, SOON, form, event.submitter));
});

addEventListener("online", () => {
  for (const place of places.values()) if (place.textContent === texts.textOffline) place.textContent = texts.textOnline;
});

// Back from the next page, or the answer was a file: nothing is waited for any more.
function forget() {
  for (const [form, timer] of timers) {
    clearTimeout(timer);
    hush(form);
  }
  timers.clear();
}
addEventListener("pagehide", forget);
addEventListener("pageshow", forget);
