// Whoever clicks twice on a button would send its form twice: the second is told that the code was used, that the draft is
// gone or that this was too often. For a moment a form that is on its way is not sent again.

const UNTIL_AGAIN = 3000; // it may not have got through
const sent = new Set();

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented || form.method !== "post") return;
  if (sent.has(form)) return event.preventDefault();
  sent.add(form);
  setTimeout(() => sent.delete(form), UNTIL_AGAIN);
});
addEventListener("pageshow", () => sent.clear());
