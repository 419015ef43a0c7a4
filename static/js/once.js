// Whoever clicks twice on a button would send its form twice: the second is told that the code was used, that the draft is
// gone or that this was too often. For a moment a form that is on its way is not sent again, and the page says so.

import { buttonOf, sayWaiting, showBusy } from "./pressing.js";

const UNTIL_AGAIN = 3000; // it may not have got through
const sent = new Map(); // each form with its button

function letAgain(form) {
  showBusy(sent.get(form), false);
  sent.delete(form);
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented || form.method !== "post") return;
  if (sent.has(form)) {
    event.preventDefault();
    return sayWaiting(form, event.submitter);
  }
  sent.set(form, buttonOf(form, event.submitter));
  setTimeout(letAgain, UNTIL_AGAIN, form);
});
addEventListener("pageshow", () => [...sent.keys()].forEach(letAgain));
