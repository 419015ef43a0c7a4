// Answers of this submission that other pages could not save: sent from here as soon as no open tab has them in hand.

import { isOnItsWay } from "../pressing.js";
import { questions, replied } from "./draft.js";
import { element, root, text } from "./page.js";
import { PARTS, lacksReason, same } from "./parts.js";
import { isWorthRetrying, post } from "./server.js";
import { thisTab, whenGone } from "./tabs.js";
import * as unsent from "./unsent.js";

const FIRST_RETRY = 1000;
const LONGEST_RETRY = 60000;
const banner = root.querySelector("[data-autosave-banner]");
const taken = new Set(); // "question~tab", looked after by this page
const sending = new Set();

const nameOf = ({ id, tab }) => `${id}~${tab}`;
const others = () => unsent.all().filter(({ tab }) => tab !== thisTab);
export const open = () => others().filter(({ id }) => !questions.has(id));
export const arrived = () => Promise.all([...sending]);

export function lookAfter() {
  showBanner();
  for (const found of others()) {
    if (taken.has(nameOf(found))) continue;
    taken.add(nameOf(found));
    whenGone(found.tab).then(() => takeOver(found));
  }
}

function takeOver({ id, tab }) {
  const entry = unsent.find(id, tab);
  if (!entry) return taken.delete(nameOf({ id, tab }));
  if (!questions.has(id)) return send(id, tab);
  questions.get(id).restore(entry);
  unsent.forget(id, tab);
  taken.delete(nameOf({ id, tab }));
}

async function send(id, tab, failures = 0) {
  const entry = unsent.find(id, tab);
  if (!entry || lacksReason(entry.value)) return showBanner();
  const change = Object.fromEntries(Object.entries(entry).filter(([name]) => /^(value|note)(_version)?$/.test(name)));
  const parts = Object.fromEntries(PARTS.filter((part) => part in entry).map((part) => [part, entry[part]]));
  unsent.put(id, tab, { ...entry, sent: [...(entry.sent ?? []), parts] });
  const attempt = post({ question: id, ...change });
  sending.add(attempt);
  const reply = await attempt;
  sending.delete(attempt);
  took(id, tab, entry, reply, failures);
}

function took(id, tab, entry, { status, body, pause }, failures) {
  const conflict = body.conflicts?.find((one) => one.question === id);
  const now = unsent.find(id, tab);
  const again = () => send(id, tab, failures + 1);
  if (body.progress) replied(body);
  if (status === 404 || !now) unsent.forget(id, tab);
  else if (status === 200) unsent.forget(id, tab);
  else if (conflict && isOwn(conflict, entry)) {
    const versions = Object.fromEntries(PARTS.map((part) => [`${part}_version`, conflict[`${part}_version`]]));
    unsent.put(id, tab, { ...now, ...versions, sent: [] });
    send(id, tab, failures);
  } else if (isWorthRetrying(status)) setTimeout(again, pause || Math.min(LONGEST_RETRY, FIRST_RETRY * 2 ** failures));
  showBanner();
  if (status === 200) showAnew();
}

// Sent from here before, and the answer of the server never came: nobody else has changed anything.
function isOwn(conflict, entry) {
  return conflict.mine && conflict.parts.every((part) => (entry.sent ?? []).some((one) => part in one && same(one[part], conflict[part])));
}

// The page that lists the answers is as old as they were.
function showAnew() {
  const address = root.dataset.autosaveAnew;
  if (address && !("leaving" in root.dataset) && !isOnItsWay() && sending.size === 0) location.replace(address);
}

export function showBanner() {
  if (!banner) return;
  const lines = new Map(open().map(({ id, entry }) => [id, entry]));
  for (const line of banner.querySelectorAll("[data-elsewhere]")) {
    if (!lines.has(line.dataset.elsewhere)) line.remove();
    else lines.delete(line.dataset.elsewhere);
  }
  for (const [id, { title, page }] of lines) {
    const link = element("a", { href: page, textContent: title });
    banner.append(element("p", { dataset: { elsewhere: id } }, `${text("Elsewhere")} `, link));
  }
  banner.hidden = !banner.querySelector("[data-elsewhere]");
}
