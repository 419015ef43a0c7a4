// A part of an answer that somebody else changed, too: shows both sides whole and asks which one counts.

import { words as momentInWords } from "../moments.js";
import { button, element, text, written } from "./page.js";
import { PARTS } from "./parts.js";

export class ConflictBox {
  constructor(question) {
    this.question = question;
    this.place = question.fieldset.querySelector("[data-conflict]");
    this.theirs = new Map(); // part -> { content, words, version, by, at, mine }
  }

  has(part) {
    return part === undefined ? this.theirs.size > 0 : this.theirs.has(part);
  }

  open(part, theirs) {
    this.theirs.set(part, theirs);
    this.show();
  }

  close(part) {
    if (!this.theirs.delete(part)) return;
    this.show();
  }

  show() {
    const held = this.place.contains(document.activeElement);
    const parts = PARTS.filter((part) => this.theirs.has(part));
    const title = element("p", { id: `conflict-${this.question.id}`, className: "conflict-title", textContent: text("ConflictTitle") });
    this.place.replaceChildren(...(parts.length ? [title, ...parts.map((part) => this.side(part))] : []));
    this.place.hidden = !parts.length;
    if (held) (parts.length ? this.place : this.question.fieldset).focus({ preventScroll: true });
  }

  side(part) {
    const theirs = this.theirs.get(part);
    const name = part === "note" ? "Note" : "Value";
    const said = text(`${theirs.mine ? "OwnChanged" : "Changed"}${name}`, { by: theirs.by, time: momentInWords(theirs.at) });
    const pairs = [
      [theirs.mine ? "ThereSide" : "TheirSide", written(theirs.words)],
      [theirs.mine ? "HereSide" : "YourSide", written(this.yours(part), { conflictYours: part })],
    ].map(([label, side]) => element("div", {}, element("dt", { textContent: text(label) }), element("dd", {}, side)));
    const buttons = element("div", { className: "cluster" });
    const about = text(`${name}Part`);
    buttons.append(
      button(theirs.mine ? "KeepThere" : "Keep", () => this.settle(part, "keep"), about),
      button(theirs.mine ? "KeepHere" : "Mine", () => this.settle(part, "insist"), about),
    );
    return element("div", { className: "conflict-part" }, element("p", { textContent: said }), element("dl", {}, ...pairs), buttons);
  }

  yours(part) {
    return part === "note" ? this.question.inputs.note.trim() || text("NoNote") : this.question.inputs.words();
  }

  // A person who changes their side below the box chooses between what they see.
  renew() {
    for (const part of this.theirs.keys()) {
      const place = this.place.querySelector(`[data-conflict-yours="${part}"]`);
      const words = this.yours(part);
      if (place.textContent !== words) place.textContent = words;
    }
  }

  settle(part, choice) {
    const theirs = this.theirs.get(part);
    this.theirs.delete(part);
    this.show();
    this.question[choice](part, theirs);
    (this.has() ? this.place : this.question.fieldset).focus({ preventScroll: true });
  }

  focus() {
    this.place.focus({ preventScroll: true });
    this.place.scrollIntoView({ block: "center" });
  }
}
