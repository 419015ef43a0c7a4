// The inputs of one question: what is in them, and what is wrong with it. They know nothing of saving.

import { text } from "./page.js";
import { asWritten, isReason, lacksReason } from "./parts.js";

const RADIO_KINDS = ["nplf", "yes_no", "single_choice"];
const NEAR = 0.9;
const lengthOf = (words) => [...words.replace(/\r\n?/g, "\n").trim()].length; // as the server counts

const CURRENT = { checked: "checked", value: "value" };
const RENDERED = { checked: "defaultChecked", value: "defaultValue" };

export class Inputs {
  constructor(fieldset, properties = CURRENT) {
    this.fieldset = fieldset;
    this.properties = properties;
    this.id = fieldset.dataset.question;
    this.isRadio = RADIO_KINDS.includes(fieldset.dataset.kind);
    this.isWritten = !this.isRadio && fieldset.dataset.kind !== "multiple_choice";
  }

  // The same as the server sent them, whatever has been given since.
  get rendered() {
    return new Inputs(this.fieldset, RENDERED);
  }

  all(name) {
    return [...this.fieldset.querySelectorAll(`[name="${CSS.escape(`${this.id}:${name}`)}"]`)];
  }

  written(name) {
    return this.all(name)[0]?.[this.properties.value] ?? "";
  }

  chosen(name) {
    return this.all(name).filter((input) => input[this.properties.checked]).map((input) => input.value);
  }

  partOf(target) {
    return target.name === `${this.id}:note` ? "note" : "value";
  }

  get special() {
    const chosen = this.chosen(this.isRadio ? "value" : "special")[0] || null;
    return this.isRadio || chosen ? chosen : null;
  }

  get value() {
    if (this.special === "not_applicable" && this.all("reason").length) return { not_applicable: this.written("reason") };
    if (this.special || this.isRadio) return this.special;
    if (this.isWritten) return this.wrapped(this.written("value").trim() || null);
    const all = this.chosen("value");
    return all.length ? all : null;
  }

  wrapped(words) {
    return this.all("special").some((input) => input.value === words) ? { text: words } : words;
  }

  get note() {
    return this.written("note");
  }

  // As the server would say it, in the words of the page.
  words(value = this.value) {
    if (value === null) return text("None");
    const wanted = isReason(value) ? ["not_applicable"] : [value].flat().map(String);
    const options = [...(this.isWritten ? [] : this.all("value")), ...this.all("special")];
    const labels = options
      .filter((input) => wanted.includes(input.value))
      .map((input) => input.closest("label").querySelector("span").firstChild.textContent);
    if (!labels.length) labels.push([asWritten(value), this.fieldset.querySelector(".written .unit")?.textContent ?? ""].join(" ").trim());
    return labels.join(", ") + (isReason(value) && value.not_applicable ? `: ${value.not_applicable}` : "");
  }

  // Somebody who reads on there keeps their place in the text.
  write(input, words) {
    if (input.value === words) return;
    const [from, to] = [input.selectionStart, input.selectionEnd];
    input.value = words;
    if (input === document.activeElement && from !== null) input.setSelectionRange(from, to);
  }

  fill(part, content) {
    if (part === "note") {
      for (const input of this.all("note")) this.write(input, content);
      const details = this.fieldset.querySelector("details.note");
      if (content) details.open = true;
    } else this.fillValue(content);
    this.count();
  }

  fillValue(value) {
    const choice = isReason(value) ? "not_applicable" : value;
    const special = this.all("special").find((input) => input.value && input.value === choice);
    for (const input of this.all("special")) input.checked = special ? input === special : input.value === "";
    for (const input of this.all("value")) {
      if (["radio", "checkbox"].includes(input.type)) {
        input.checked = choice !== null && [choice].flat().includes(input.value);
      } else this.write(input, special ? "" : asWritten(value));
    }
    if (isReason(value)) for (const input of this.all("reason")) this.write(input, value.not_applicable);
  }

  // What is written takes the place of "don't know" and the like.
  preferWritten() {
    for (const input of this.all("special")) input.checked = input.value === "";
  }

  // ------------------------------------------------------------------------------------------------------- limits
  // Says how many characters are left as soon as that matters. Nothing is cut off: what is too long waits to be shortened.
  count() {
    for (const input of this.fieldset.querySelectorAll("[data-limit]")) {
      const [limit, length] = [Number(input.dataset.limit), lengthOf(input.value)];
      const place = document.getElementById(input.getAttribute("aria-describedby")?.split(" ").at(-1));
      if (!place) continue;
      place.dataset.all ??= place.textContent;
      const words = length < limit * NEAR ? place.dataset.all : text("Left", { all: place.dataset.all, left: (limit - length).toLocaleString(document.documentElement.lang) });
      const shown = length > limit ? tooLong(limit, length) : words;
      if (place.textContent !== shown) place.textContent = shown;
      place.classList.toggle("field-error", length > limit);
    }
  }

  // What is wrong with a part: { input, words }, or null where it can be sent.
  problem(part) {
    const [input] = part === "note" ? this.all("note") : this.all(isReason(this.value) ? "reason" : "value");
    if (part === "value" && lacksReason(this.value)) return { input, words: text("Reason") };
    if (part === "value" && !this.special && input?.validity.badInput) return { input, words: text("Unfinished") };
    const limit = Number(input?.dataset.limit ?? Infinity);
    const isSent = part === "note" || isReason(this.value) || !this.special;
    return isSent && lengthOf(input?.value ?? "") > limit
      ? { input, words: text("Stopped", { reason: tooLong(limit, lengthOf(input.value)) }) }
      : null;
  }
}

function tooLong(limit, length) {
  const [most, over] = [limit, length - limit].map((number) => number.toLocaleString(document.documentElement.lang));
  return text("TooLong", { limit: most, over });
}

export const heading = (fieldset) =>
  [...fieldset.querySelector("legend").childNodes].filter((node) => !node.classList?.contains("optional")).map((node) => node.textContent).join("").trim();

