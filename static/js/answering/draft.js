// The whole draft: how far it is, what is asked, and whether answers can be saved at all. Whatever the server says of it
// goes through here, and what is older than the page is left aside.

import { words as momentInWords } from "../moments.js";
import { announce, element, root, text } from "./page.js";
import { isWorthRetrying, load, onReply, reasonOf } from "./server.js";
import * as unsent from "./unsent.js";

const FIRST_LOOK = 2000;
const LONGEST_LOOK = 60000;

export const questions = new Map();
let newestRevision = Number(root.dataset.autosaveRevision ?? 0);
let values = null; // question -> version of its value, as of the last look
let standing = null; // why nothing can be saved: { kind, words }, or null
let looks = 0;
let timer = 0;
let loading = null;
let isLoadingAgain = false;

export const whyNot = () => standing;
export const isCurrent = (revision) => revision <= newestRevision;

// ------------------------------------------------------------------------------------------------------- the server
// One at a time: asked again while it is on its way, it asks once more afterwards.
export function reload() {
  isLoadingAgain = true;
  loading ??= loadAll().finally(() => (loading = null));
  return loading;
}

async function loadAll() {
  let reply = null;
  while (isLoadingAgain) {
    isLoadingAgain = false;
    reply = await load();
    if (reply.status === 200 && reply.body.revision >= newestRevision) take(reply.body);
  }
  return reply;
}

function take(body) {
  const because = cause(body.answers);
  for (const question of questions.values()) question.refresh(body.answers[question.id]);
  show(body, because);
}

// Whose answer it is that other questions are asked because of.
function cause(answers) {
  const before = values;
  values = new Map(Object.entries(answers).map(([id, answer]) => [id, answer.value_version]));
  const isNew = ([id, answer]) => (before ? !answer.value_mine && before.get(id) !== answer.value_version : answer.value_at);
  const changed = Object.entries(answers).filter(isNew);
  const [newest] = changed.sort(([, one], [, other]) => Date.parse(other.value_at) - Date.parse(one.value_at));
  return newest && !newest[1].value_mine ? newest[1].value_by : null;
}

// What the answer to a save says. Where others have changed something in between, only a look says whose answer it was.
export function replied(body) {
  const isGap = body.revision > newestRevision + 1;
  const isOlder = [...questions.values()].some((question) => question.isBehind(body.answers[question.id]));
  if (isGap || isOlder) reload();
  else show(body, null);
}

function show({ revision, progress, visible }, by) {
  if (revision < newestRevision) return;
  newestRevision = revision;
  document.dispatchEvent(new CustomEvent("plumbline:saved", { detail: { revision } }));
  for (const place of document.querySelectorAll("[data-progress-text]")) place.textContent = progress.text;
  for (const bar of document.querySelectorAll("[data-progress-bar]")) {
    bar.max = progress.visible;
    bar.value = progress.answered;
  }
  let more = 0;
  for (const question of questions.values()) {
    more += question.ask(visible.includes(question.id), by ? text("Unasked", { by }) : text("UnaskedByYou"));
  }
  if (more) announce(by ? text("MoreBy", { by }) : text("More"));
}

// ----------------------------------------------------------------------------------------------------- its standing
function standingOf({ status, body }) {
  if (status === 401) return { kind: "signed-out", words: body.message ?? text("SignedOut") };
  if (status === 404) return { kind: "gone", words: text("GoneAll") };
  if (body.state === "submitted" || body.error === "submitted") return { kind: "submitted", words: submitted(body) };
  if (isWorthRetrying(status)) return { kind: status ? "busy" : "unreached", words: text("Stopped", { reason: reasonOf({ status, body }) }) };
  return null;
}

function submitted({ submitted_by: by, submitted_at: at }) {
  return at ? text("SubmittedBy", { by: by ?? text("Somebody"), time: momentInWords(at) }) : text("Submitted");
}

onReply((reply) => {
  const before = standing;
  standing = standingOf(reply);
  if (standing?.kind === "submitted" && before?.kind === "submitted" && !reply.body.submitted_at) standing = before;
  else if (standing?.kind === "submitted" && !reply.body.submitted_at) reload(); // says who and when
  if (standing?.kind === "gone") unsent.forgetAll();
  if (standing?.words !== before?.words) showStanding();
  if ((standing?.kind === "signed-out") !== (before?.kind === "signed-out")) {
    document.dispatchEvent(new CustomEvent(standing?.kind === "signed-out" ? "plumbline:signed-out" : "plumbline:signed-in"));
  }
  if (before && !standing) goOn();
  else if (standing) lookLater(reply.pause);
});

// A question says by itself that it is not saved. What concerns all of them is said once, at the top.
const TITLES = { "signed-out": "TitleSignedOut", gone: "TitleGone", submitted: "TitleSubmitted" };

function showStanding() {
  const place = root.querySelector("[data-draft-standing]");
  const title = TITLES[standing?.kind];
  if (!place) return;
  place.hidden = !title;
  const link = { "signed-out": ["SignIn", "loginUrl"], submitted: ["Reopen", "draftUrl"] }[standing?.kind];
  const parts = title ? [element("p", { className: "notice-title", textContent: text(title) }), element("p", { textContent: standing.words })] : [];
  if (link) parts.push(element("p", {}, element("a", { href: root.dataset[link[1]], target: "_blank", rel: "noopener", textContent: text(link[0]) })));
  place.replaceChildren(...parts);
}

export const focusStanding = () => {
  const place = root.querySelector("[data-draft-standing]");
  if (!place || place.hidden) return false;
  place.focus();
  return true;
};

function lookLater(wait) {
  clearTimeout(timer);
  const isTriedAnyway = ["busy", "unreached"].includes(standing.kind) && [...questions.values()].some((question) => question.isOpen);
  if (standing.kind === "gone" || isTriedAnyway) return;
  const pause = Math.min(LONGEST_LOOK, FIRST_LOOK * 2 ** looks++);
  timer = setTimeout(reload, wait || pause * (0.5 + Math.random() / 2));
}

function goOn() {
  clearTimeout(timer);
  looks = 0;
  for (const question of questions.values()) question.goOn();
}

export function comeBack() {
  if (document.hidden) return;
  looks = 0;
  for (const question of questions.values()) question.goOn();
  reload();
}
