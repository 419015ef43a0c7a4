// Signing out leaves nothing in this browser. So what is not saved yet is told before; a person then stays, or lets it go.
// The server asks the browser to forget, too (Clear-Site-Data), which browsers do over https and on localhost only.

const OURS = "plumbline.";
const UNSAVED = "plumbline.unsaved.";
const dialog = document.querySelector("[data-signing-out]");
let confirmed = null; // the form that may go

function keys(storage) {
  try {
    return Object.keys(window[storage]).filter((key) => key.startsWith(OURS));
  } catch {
    return []; // a browser that forbids storage keeps nothing
  }
}

const unsaved = () => keys("localStorage").filter((key) => key.startsWith(UNSAVED)).length;

function forgetEverything() {
  document.dispatchEvent(new CustomEvent("plumbline:signing-out"));
  for (const storage of ["localStorage", "sessionStorage"]) for (const key of keys(storage)) window[storage].removeItem(key);
}

function ask(form, count) {
  const words = count === 1 ? dialog.dataset.textOne : dialog.dataset.textMany.replace("{count}", count);
  dialog.querySelector("[data-signing-out-words]").textContent = words;
  dialog.querySelector("[data-signing-out-stay]").onclick = () => dialog.close();
  dialog.querySelector("[data-signing-out-go]").onclick = () => {
    dialog.close();
    confirmed = form;
    form.requestSubmit();
  };
  dialog.showModal();
}

// Before all others: a form that is only asked about is not on its way.
addEventListener(
  "submit",
  (event) => {
    const form = event.target;
    if (!form.matches("[data-sign-out]") || !navigator.onLine) return;
    const count = unsaved();
    if (!count || form === confirmed) return forgetEverything();
    event.preventDefault();
    event.stopImmediatePropagation();
    ask(form, count);
  },
  true,
);
addEventListener("pageshow", () => (confirmed = null));
