// What a person cleared, or what lost in a conflict, stays within reach below the question: one press puts it back.

import { button, element, text, written } from "./page.js";
import { same, substance } from "./parts.js";
import * as unsent from "./unsent.js";

const MOST = 4;

export class Kept {
  constructor(question) {
    this.question = question;
    this.place = question.fieldset.querySelector("[data-kept]");
    this.lines = unsent.keptOf(question.id);
    this.show();
  }

  // kind: the text that says why it is here.
  add(kind, part, content, words, by = "") {
    const others = this.lines.filter((line) => !(line.part === part && same(line.content, content)));
    this.lines = [...others, { kind, part, content, words, by }].slice(-MOST);
    this.store();
  }

  // What is the answer again needs no keeping, nor does a mere choice once there is another one.
  drop(part, content) {
    const isOld = (line) => same(line.content, content) || (line.kind === "WasCleared" && content !== null && !this.holdsWork(line));
    const left = this.lines.filter((line) => !(line.part === part && isOld(line)));
    if (left.length === this.lines.length) return;
    this.lines = left;
    this.store();
  }

  holdsWork(line) {
    return substance(line.content, this.question.inputs.isWritten) !== null;
  }

  store() {
    unsent.keep(this.question.id, this.lines);
    this.show();
  }

  show() {
    this.place.replaceChildren(...this.lines.map((line) => this.row(line)));
    this.place.hidden = this.lines.length === 0;
  }

  row(line) {
    const said = element("p", {}, `${text(line.kind, { by: line.by })} `, written(line.words));
    const about = text(line.part === "note" ? "NotePart" : "ValuePart");
    const buttons = element("div", { className: "cluster" });
    buttons.append(
      button(line.kind === "WasCleared" ? "Undo" : "PutBack", () => this.putBack(line), about),
      button("Remove", () => this.remove(line), about),
    );
    return element("div", { className: "kept-line" }, said, buttons);
  }

  putBack(line) {
    this.lines = this.lines.filter((one) => one !== line);
    this.store();
    this.question.putBack(line.part, line.content);
  }

  remove(line) {
    this.lines = this.lines.filter((one) => one !== line);
    this.store();
    this.question.fieldset.focus({ preventScroll: true });
  }

  // To the newest: the others were here before.
  focus() {
    this.place.lastElementChild?.querySelector("button")?.focus({ preventScroll: true });
  }
}
