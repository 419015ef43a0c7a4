// One question on the page: saves each part of its answer as soon as it is given, and takes what colleagues change.

import { words as momentInWords } from "../moments.js";
import { ConflictBox } from "./conflict.js";
import { Inputs, heading } from "./inputs.js";
import { Kept } from "./kept.js";
import { announce, text } from "./page.js";
import { PARTS, same, substance, typed } from "./parts.js";
import { isWorthRetrying, post, reasonOf } from "./server.js";
import * as unsent from "./unsent.js";

const TYPING_PAUSE = 700;
const KEY_PAUSE = 800; // on the way through the choices with arrow keys
const FIRST_RETRY = 1000;
const LONGEST_RETRY = 60000;
const MOST_SENT = 10;
const clock = (iso) => momentInWords(iso, { short: true });
const CLEANED = /[^\P{C}\n\t]|[\u2028\u2029]/u; // what the server spells in its own way
const isCleaned = (content, kind) => kind === "number" || CLEANED.test(JSON.stringify(content)?.replaceAll("\\n", "") ?? "");
const without = (part, entries) => entries.map(({ [part]: _gone, ...rest }) => rest).filter((entry) => Object.keys(entry).length);

export class Question {
  constructor(fieldset, page) {
    this.fieldset = fieldset;
    this.page = page; // { replied(body), reload(), changed() }
    this.id = fieldset.dataset.question;
    this.inputs = new Inputs(fieldset);
    const { rendered } = this.inputs; // somebody may have answered before this script was there
    const isStored = !("unsaved" in fieldset.dataset);
    this.base = Object.fromEntries(PARTS.map((part) => [part, isStored ? rendered[part] : undefined])); // what is stored
    this.versions = Object.fromEntries(PARTS.map((part) => [part, Number(this.inputs.written(`${part}_version`))]));
    this.typedAt = {}; // part -> when this person changed it
    this.sent = []; // what the server may have stored without our knowing
    this.refusal = null; // the server's last word against what is in the inputs
    this.settled = ["", ""];
    this.later = {}; // part -> how the server spells what is written here
    this.failures = 0;
    this.waitsUntil = 0; // as the server told, in milliseconds of Date.now()
    this.sending = null;
    this.byKeys = false;
    this.before = rendered.value;
    this.conflict = new ConflictBox(this);
    this.kept = new Kept(this);
    this.listen();
    this.inputs.count();
    this.offerClearing();
  }

  listen() {
    this.fieldset.addEventListener("keydown", ({ key }) => (this.byKeys = key.startsWith("Arrow")));
    this.fieldset.addEventListener("pointerdown", () => (this.byKeys = false));
    this.fieldset.addEventListener("input", (event) => this.onInput(event));
    this.fieldset.addEventListener("focusout", ({ target, relatedTarget }) => this.onLeave(target, relatedTarget));
    this.fieldset.querySelector("[data-clear]").addEventListener("click", () => this.clear());
  }

  // -------------------------------------------------------------------------------------------- what is to be saved
  isDirty(part) {
    const now = this.inputs[part];
    return !same(now, this.base[part]) || this.sent.some((one) => part in one && !same(one[part], now));
  }

  get isOpen() {
    return PARTS.some((part) => this.isDirty(part));
  }

  get problem() {
    return PARTS.filter((part) => this.isDirty(part)).map((part) => this.inputs.problem(part)).find(Boolean) ?? null;
  }

  get change() {
    const parts = PARTS.filter((part) => this.isDirty(part) && !this.conflict.has(part) && !this.inputs.problem(part));
    if (!parts.length) return null;
    return { question: this.id, ...Object.fromEntries(parts.flatMap((part) => [[part, this.inputs[part]], [`${part}_version`, this.versions[part]]])) };
  }

  remember() {
    const parts = PARTS.filter((part) => this.isDirty(part));
    if (!parts.length && !this.sending) return unsent.forget(this.id);
    const page = `${location.pathname}#${this.fieldset.id}`;
    unsent.remember(this.id, {
      ...Object.fromEntries(parts.map((part) => [part, this.inputs[part]])),
      ...Object.fromEntries(PARTS.map((part) => [`${part}_version`, this.versions[part]])),
      typedAt: this.typedAt,
      page,
      title: heading(this.fieldset),
      sent: this.sent,
    });
  }

  // ------------------------------------------------------------------------------------------------ what people do
  onInput({ target }) {
    if (target.name === `${this.id}:clear`) return;
    if (target.name === `${this.id}:value` && !this.inputs.isRadio) this.inputs.preferWritten();
    const isWritten = !["radio", "checkbox"].includes(target.type);
    if (!isWritten && target.type === "radio") this.keepReplaced();
    else if (target.name === `${this.id}:value`) this.keepReplaced();
    const pause = isWritten ? TYPING_PAUSE : target.type === "radio" && this.byKeys ? KEY_PAUSE : 0;
    this.inputs.count();
    this.page.changed();
    this.touched(pause, this.inputs.partOf(target));
  }

  // The last of what arrow keys passed is what was meant.
  onLeave(target, next) {
    const isSameGroup = next?.type === "radio" && next.name === target.name && this.fieldset.contains(next);
    if (target.type === "radio" && !isSameGroup && this.timer && !this.isToldToWait) this.send();
    if (next && !this.fieldset.contains(next)) queueMicrotask(() => this.left());
  }

  left() {
    for (const [part, theirs] of Object.entries(this.later)) {
      if (!this.isDirty(part) && theirs.version === this.versions[part]) this.adopt(part, theirs);
    }
    this.later = {};
    if (this.isAsked === false) this.ask(false, "");
  }

  // "Don't know" in the place of a text, or a text in the place of a reason.
  keepReplaced() {
    const [before, now] = [this.before, this.inputs.value];
    this.kept.drop("value", now);
    const [had, has] = [before, now].map((value) => substance(value, this.inputs.isWritten));
    const isGone = had && had !== has && !(had === "text" && now === null) && !(had === "choices" && now === null);
    if (isGone) this.kept.add("WasReplaced", "value", before, this.inputs.words(before));
  }

  clear() {
    const { value } = this.inputs;
    this.inputs.fill("value", null);
    this.kept.add("WasCleared", "value", value, this.inputs.words(value));
    this.isCleared = true;
    this.page.changed();
    this.touched(0, "value");
    this.kept.focus();
  }

  putBack(part, content) {
    const now = this.inputs[part];
    if (typed(part, now, this.inputs.isWritten)) this.kept.add("WasReplaced", part, now, part === "note" ? now : this.inputs.words(now));
    this.inputs.fill(part, content);
    this.page.changed();
    this.touched(0, part);
    this.fieldset.focus({ preventScroll: true });
  }

  offerClearing() {
    const clear = this.fieldset.querySelector("[data-clear]");
    const isEmpty = this.inputs.value === null;
    if (isEmpty && clear === document.activeElement) this.fieldset.focus({ preventScroll: true });
    clear.hidden = isEmpty;
  }

  touched(pause, part) {
    if (part) this.typedAt[part] = Date.now();
    this.before = this.inputs.value;
    if (this.before !== null) this.isCleared = false;
    this.refusal = null;
    this.failures = 0;
    clearTimeout(this.timer);
    this.timer = null;
    this.isPassed = pause === KEY_PAUSE;
    this.offerClearing();
    this.conflict.renew();
    this.remember();
    if (this.change) {
      this.show("saving", pause === KEY_PAUSE ? "" : text("Saving"));
      this.timer = setTimeout(() => this.send(), pause);
    } else this.showOpen();
  }

  // ------------------------------------------------------------------------------------------------------- sending
  // One request at a time: a second one would race the first for the answer's version.
  send() {
    clearTimeout(this.timer);
    this.timer = null;
    this.isPassed = false;
    this.waitsUntil = 0;
    if (!this.sending && this.change) {
      this.sending = this.exchange(this.change);
    }
    return this.sending;
  }

  // The server can be reached again. What arrow keys are only passing still waits for its rest, and what the server told
  // to wait for so long waits.
  goOn() {
    if (this.isOpen && !this.isPassed && !this.isToldToWait) this.send();
  }

  get isToldToWait() {
    return Date.now() < this.waitsUntil;
  }

  async exchange(change) {
    this.show("saving", text("Saving"));
    const parts = Object.fromEntries(PARTS.filter((part) => part in change).map((part) => [part, change[part]]));
    this.sent = [...this.sent.filter((one) => !(same(one.value, parts.value) && same(one.note, parts.note))), parts].slice(-MOST_SENT);
    this.remember();
    const reply = await post(change);
    this.sending = null;
    this.take(reply, change);
  }

  // Resolves when what is on its way has arrived, and what was given in between, too.
  async finish() {
    await this.sending;
    if (this.isOpen && !this.isToldToWait) await this.send();
  }

  take(reply, change) {
    const { status, body } = reply;
    const conflict = body.conflicts?.find((one) => one.question === this.id);
    if (status === 200 || conflict) this.stored(body, change, conflict);
    else if (isWorthRetrying(status) || body.error === "submitted") this.retry(reply);
    else this.refused(reply, change);
    if (body.progress) this.page.replied(body);
  }

  stored(body, change, conflict) {
    this.failures = 0;
    const now = body.answers[this.id];
    for (const part of PARTS.filter((one) => one in change)) {
      if (conflict?.parts.includes(part)) this.collide(part, theirsOf(conflict, part));
      else {
        this.sent = without(part, this.sent);
        this.base[part] = change[part];
        if (now) this.versions[part] = now[`${part}_version`];
      }
    }
    this.remember();
    if (PARTS.some((part) => part in change && isCleaned(change[part], this.fieldset.dataset.kind))) this.page.reload();
    if (this.change) return this.timer ? null : this.touched(0); // what arrow keys are passing waits for its own pause
    if (!this.isOpen) this.settled = ["saved", text(this.isCleared ? "Cleared" : "Saved", { time: clock(body.saved_at) })];
    this.showOpen();
  }

  retry(reply) {
    const reason = reply.body.message ?? (reply.status === 403 ? text("Refused") : null);
    this.show("retrying", reason ? text("Stopped", { reason }) : text("Retrying"));
    const pause = Math.min(LONGEST_RETRY, FIRST_RETRY * 2 ** this.failures++) * (0.5 + Math.random() / 2);
    this.waitsUntil = reply.pause ? Date.now() + reply.pause : 0;
    this.timer = setTimeout(() => this.send(), reply.pause || pause);
  }

  refused(reply, change) {
    if (this.timer) return;
    if (PARTS.some((part) => part in change && !same(change[part], this.inputs[part]))) return this.touched(0);
    this.refusal = text("Stopped", { reason: reasonOf(reply, this.id) });
    this.showOpen();
  }

  // ---------------------------------------------------------------------------------------- what others have changed
  // This part is another one on the server than it was here when it was changed here.
  collide(part, theirs) {
    const mine = this.inputs[part];
    const isOwn = theirs.mine && this.sent.some((one) => part in one && same(one[part], theirs.content));
    const isOlder = theirs.mine && Date.parse(theirs.at) > (this.typedAt[part] ?? 0);
    const words = (content) => typed(part, content, this.inputs.isWritten);
    this.sent = isOwn ? without(part, this.sent) : this.sent;
    if (same(mine, theirs.content)) this.adopt(part, theirs);
    else if (isOwn) this.rebase(part, theirs);
    else if (!theirs.mine) this.conflict.open(part, theirs);
    else if (isOlder && words(theirs.content).includes(words(mine))) this.adopt(part, theirs);
    else if (words(mine).includes(words(theirs.content))) this.rebase(part, theirs);
    else this.conflict.open(part, theirs);
  }

  adopt(part, theirs) {
    this.sent = without(part, this.sent);
    this.base[part] = theirs.content;
    this.versions[part] = theirs.version;
    this.conflict.close(part);
    this.inputs.fill(part, theirs.content);
    this.before = this.inputs.value;
    this.offerClearing();
  }

  rebase(part, theirs) {
    this.base[part] = theirs.content;
    this.versions[part] = theirs.version;
    this.conflict.close(part);
  }

  keep(part, theirs) {
    const mine = this.inputs[part];
    const words = this.conflict.yours(part);
    this.adopt(part, theirs);
    if (part === "note" ? mine.trim() : mine !== null) this.kept.add(part === "note" ? "YourNoteWas" : "YourAnswerWas", part, mine, words);
    this.settled = ["theirs", this.changedBy(part, theirs)];
    this.touched(0);
  }

  insist(part, theirs) {
    this.rebase(part, theirs);
    this.sent = without(part, this.sent);
    if (part === "note" ? theirs.content : theirs.content !== null) {
      const kind = theirs.mine ? "OtherTab" : part === "note" ? "TheirNoteWas" : "TheirAnswerWas";
      this.kept.add(kind, part, theirs.content, theirs.words, theirs.by);
    }
    this.touched(0);
  }

  // The answer as it is stored, from the server. What is not being edited takes it.
  refresh(answer) {
    let isSent = false;
    for (const part of PARTS) {
      const theirs = theirsOf({ parts: [part], version: 0, ...answer }, part);
      if (this.sending) return; // the answer to that says it, too
      if (theirs.version <= this.versions[part]) this.respell(part, theirs);
      else if (this.isDirty(part)) {
        this.collide(part, theirs);
        isSent = true;
      } else this.learn(part, theirs);
    }
    if (isSent && !this.timer) this.touched(0);
  }

  // The server cleans what it stores. Where somebody is at it still, that waits until they leave the question.
  respell(part, theirs) {
    this.base[part] ??= theirs.content;
    if (this.isDirty(part) || !typed(part, theirs.content, this.inputs.isWritten)) return;
    if (this.isFocused) this.later[part] = theirs;
    else this.adopt(part, theirs);
  }

  learn(part, theirs) {
    const isOther = !same(theirs.content, this.base[part]);
    this.adopt(part, theirs);
    if (!isOther) return;
    this.isCleared = false;
    this.settled = ["theirs", this.changedBy(part, theirs)];
    this.showOpen();
  }

  changedBy(part, { by, at, mine }) {
    return text(`${mine ? "OwnTook" : "Took"}${part === "note" ? "Note" : "Value"}`, { by, time: clock(at) });
  }

  // Whether the server has something newer than what is shown here.
  isBehind(answer) {
    return !this.sending && PARTS.some((part) => (answer?.[`${part}_version`] ?? 0) > this.versions[part] && !this.conflict.has(part));
  }

  // --------------------------------------------------------------------------------------------------- what is shown
  get blocker() {
    if (this.conflict.has()) return { words: text("Choose"), focus: () => this.conflict.focus() };
    const { problem } = this;
    if (problem) return { words: problem.words, focus: () => problem.input.focus() };
    if (this.refusal) return { words: this.refusal, focus: () => (this.inputs.all("value")[0] ?? this.fieldset).focus() };
    return null;
  }

  showOpen() {
    const { blocker } = this;
    if (blocker) this.show(this.problem && !this.conflict.has() ? "waiting" : "error", blocker.words);
    else this.show(...this.settled);
  }

  show(state, words) {
    const place = this.fieldset.querySelector("[data-save-state]");
    place.dataset.saveState = state;
    if (place.textContent !== words) place.textContent = words;
  }

  get isFocused() {
    return this.fieldset.contains(document.activeElement);
  }

  get isInUse() {
    return this.isOpen || this.conflict.has() || this.isFocused;
  }

  // Whether it is asked at the moment; what somebody is at stays in their hands until they leave it.
  ask(isAsked, because) {
    this.isAsked = isAsked;
    const place = this.fieldset.querySelector("[data-unasked]");
    const stays = !isAsked && !this.fieldset.hidden && this.isInUse;
    if (stays && place.hidden) {
      place.textContent = because;
      announce(`${heading(this.fieldset)} ${because}`);
    }
    place.hidden = !stays;
    const isNew = isAsked && this.fieldset.hidden;
    this.fieldset.hidden = this.fieldset.disabled = !isAsked && !stays;
    return isNew;
  }

  // ------------------------------------------------------------------------------------ what was typed here before
  restore(entry) {
    this.sent = [...this.sent, ...(entry.sent ?? [])].slice(-MOST_SENT);
    for (const part of PARTS.filter((one) => one in entry)) {
      const now = this.inputs[part];
      if (same(entry[part], now)) continue;
      if (!same(now, this.base[part])) this.keepOther(part, entry[part], now);
      else {
        this.versions[part] = Math.min(entry[`${part}_version`], this.versions[part]);
        this.typedAt[part] = entry.typedAt?.[part] ?? entry.at ?? 0;
        this.inputs.fill(part, entry[part]);
      }
    }
    this.touched(0);
  }

  keepOther(part, content, now) {
    const words = typed(part, content, this.inputs.isWritten);
    if (!words || typed(part, now, this.inputs.isWritten).includes(words)) return;
    this.kept.add("OtherTab", part, content, part === "note" ? content : this.inputs.words(content));
  }
}

function theirsOf(answer, part) {
  const content = answer[part] ?? (part === "note" ? "" : null);
  return {
    content,
    words: part === "note" ? content || text("NoNote") : (answer.text ?? text("None")),
    version: answer[`${part}_version`] ?? 0,
    by: answer[`${part}_by`] ?? answer.by ?? text("Somebody"),
    at: answer[`${part}_at`] ?? answer.at,
    mine: answer[`${part}_mine`] ?? answer.mine ?? false,
  };
}
