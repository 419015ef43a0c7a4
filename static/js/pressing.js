// A press on a button is answered at once, by a wheel on it, and within a second: the next page comes, or this one says
// what it waits for. Pages that save by themselves (answering/leaving.js) say more.

const SOON = 700;
const texts = document.querySelector("[data-press-texts]")?.dataset ?? {};
const onTheirWay = new Map(); // form -> { button, timer, hasBegun }
const waiting = []; // what goes on when no form is on its way any more
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
    stay(form);
    letOthersGoOn();
    say(form, [texts.textOffline], event.submitter).focus();
  },
  true,
);

// The button that was pressed; by the keyboard in a field that is the form's first one.
export const buttonOf = (form, submitter) => submitter ?? form.querySelector("[type=submit]");

export function showBusy(button, isBusy = true) {
  if (isBusy) button?.setAttribute("aria-busy", "true");
  else button?.removeAttribute("aria-busy");
}

addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented || form.method === "dialog" || (form.target && form.target !== "_self")) return;
  stay(form);
  const button = buttonOf(form, event.submitter);
  showBusy(button);
  onTheirWay.set(form, { button, timer: setTimeout(sayWaiting, SOON, form, event.submitter), hasBegun: false });
});

// Somebody stopped what was on its way (Escape, the browser's own button), or pressed something else: that tells of the
// one before only after the new press, and before it begins.
window.navigation?.addEventListener("navigate", () => onTheirWay.forEach((press) => { press.hasBegun = true; }));
window.navigation?.addEventListener("navigateerror", () => {
  for (const [form, { hasBegun }] of onTheirWay) {
    if (!hasBegun) continue;
    stay(form);
    hush(form);
  }
  letOthersGoOn();
});

// What would take a form away, or the whole page, waits as long as one is on its way.
export const isOnItsWay = () => onTheirWay.size > 0;
export const untilNoneIs = () => new Promise((resolve) => waiting.push(resolve));

addEventListener("online", () => {
  for (const place of places.values()) if (place.textContent === texts.textOffline) place.textContent = texts.textOnline;
});

function stay(form) {
  const press = onTheirWay.get(form);
  clearTimeout(press?.timer);
  showBusy(press?.button, false);
  onTheirWay.delete(form);
}

function letOthersGoOn() {
  if (!onTheirWay.size) waiting.splice(0).forEach((goOn) => goOn());
}

// The next page is there: nothing is waited for any more.
addEventListener("pagehide", () => {
  for (const [form, { timer }] of onTheirWay) {
    clearTimeout(timer);
    hush(form);
  }
});
// And the person is back.
addEventListener("pageshow", () => {
  [...onTheirWay.keys()].forEach(stay);
  letOthersGoOn();
});
