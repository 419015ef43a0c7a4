// A press on a button of the form is answered within a second: everything is saved and the page goes on, or the page says
// what is in the way and puts the focus there. What is only waiting goes on by itself.

import { buttonOf, hush, say, showBusy } from "../pressing.js";
import { focusStanding, questions, reload, whyNot } from "./draft.js";
import * as elsewhere from "./elsewhere.js";
import { heading } from "./inputs.js";
import { element, root, text } from "./page.js";
import { token } from "./server.js";
import * as unsent from "./unsent.js";

const SOON = 600;
let pressed = null; // what the person wants to go on to: { form, submitter, isTrying }
let isGoing = false;

const isOpen = () => [...questions.values()].some((question) => question.isOpen);

export function stay() {
  isGoing = false;
  delete root.dataset.leaving;
}

addEventListener("beforeunload", (event) => {
  if (unsent.hasOwn() && !isGoing) event.preventDefault();
});
addEventListener("pageshow", stay);
// The person knows what is lost (signing-out.js).
document.addEventListener("plumbline:signing-out", () => {
  isGoing = true;
  unsent.forgetAll();
});

root.addEventListener("submit", (event) => {
  if (isGoing) return;
  event.preventDefault();
  press(event.target, event.submitter);
});

// All of it is saved already: what the form carried would only be old by the time it arrives.
root.addEventListener("formdata", ({ formData }) => {
  if (!isGoing) return;
  for (const name of [...formData.keys()]) if (name.includes(":")) formData.delete(name);
  if (formData.has("csrfmiddlewaretoken")) formData.set("csrfmiddlewaretoken", token());
});

// With a press, or with none any more. As long as one waits, its button shows a wheel.
function waitWith(press) {
  if (pressed) showBusy(buttonOf(pressed.form, pressed.submitter), false);
  pressed = press;
  if (press) showBusy(buttonOf(press.form, press.submitter));
}

function press(form, submitter) {
  const mine = { form, submitter, isTrying: false };
  waitWith(mine);
  root.dataset.leaving = "";
  hush(form);
  const blocker = inTheWay();
  if (blocker) return stop(form, blocker);
  setTimeout(() => pressed === mine && wait(mine.form), SOON);
  attempt(mine);
}

async function attempt(mine) {
  if (mine.isTrying) return;
  mine.isTrying = true;
  const isDone = await everythingSaved(mine);
  mine.isTrying = false;
  if (pressed !== mine) return;
  const blocker = inTheWay();
  if (blocker) stop(mine.form, blocker);
  else if (isDone) goOn(mine);
  else wait(mine.form);
}

async function everythingSaved(mine) {
  for (const question of questions.values()) if (question.isOpen) await question.finish();
  await elsewhere.arrived();
  if (pressed !== mine || isOpen() || elsewhere.open().length) return false;
  const reply = await reload(); // nothing can be lost by going on, and the server is there
  return reply?.status === 200 && !whyNot() && !isOpen();
}

// What only the person can put right: { question, words, focus }.
function inTheWay() {
  const stopped = whyNot();
  if (["gone", "submitted"].includes(stopped?.kind)) return { words: stopped.words, focus: focusStanding };
  for (const question of questions.values()) {
    const { blocker } = question;
    if (blocker && !question.fieldset.hidden) return { question, ...blocker };
  }
  return null;
}

function stop(form, { question, words, focus }) {
  waitWith(null);
  stay();
  say(form, question ? [`${text("NotYet")} `, linkTo(question, focus), ` ${words}`] : [words]);
  if (focus() === false) form.querySelector("[data-press-state]")?.focus();
}

function linkTo(question, focus) {
  const link = element("a", { href: `#${question.fieldset.id}`, textContent: heading(question.fieldset) });
  link.addEventListener("click", (event) => {
    event.preventDefault();
    focus();
  });
  return link;
}

function waitingFor(stopped) {
  if (!navigator.onLine) return text("WaitOffline");
  if (stopped?.kind === "unreached") return text("WaitUnreached");
  return stopped ? `${stopped.words} ${text("GoesOn")}` : text("WaitServer");
}

// What is not in the person's hands: say it, and go on as soon as it is over.
function wait(form) {
  const stopped = whyNot();
  const [first] = elsewhere.open();
  const isHere = isOpen();
  const words = waitingFor(stopped);
  const place = say(form, !isHere && first && !stopped ? [`${text("Elsewhere")} `, element("a", { href: first.entry.page, textContent: first.entry.title })] : [words]);
  if (stopped?.kind === "signed-out" && isHere) [...questions.values()].find((question) => question.isOpen).fieldset.focus();
  else place.focus();
}

function goOn({ form, submitter }) {
  waitWith(null);
  isGoing = true;
  root.dataset.leaving = "going";
  form.requestSubmit(submitter);
}

// The page got newer, and its form with it: the press is one on the new form, which says what it waits for.
document.addEventListener("plumbline:replaced", () => {
  if (!pressed || pressed.form.isConnected) return;
  const form = root.querySelector(`form[action="${CSS.escape(pressed.form.getAttribute("action"))}"]`);
  const isSaid = Boolean(pressed.form.querySelector("[data-press-state]")?.textContent);
  if (!form) {
    waitWith(null);
    return stay();
  }
  waitWith(Object.assign(pressed, { form, submitter: form.querySelector("[type=submit]") }));
  if (isSaid) wait(form);
});

// Called whenever something may have changed for a press that is waiting.
export function tryAgain() {
  if (!pressed) return;
  const blocker = inTheWay();
  if (blocker) stop(pressed.form, blocker);
  else if (!isOpen() && !elsewhere.open().length && !whyNot()) attempt(pressed);
}

// Whoever goes on working has changed their mind about leaving.
export function changed() {
  stay();
  if (pressed) hush(pressed.form);
  waitWith(null);
}
