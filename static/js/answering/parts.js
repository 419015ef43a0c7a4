// An answer has two parts, value and note, which are saved apart. Here is what can be said of parts without a page.

export const PARTS = ["value", "note"];

export const lacksReason = (value) => value?.not_applicable?.trim() === "";
export const isReason = (value) => value?.not_applicable !== undefined;
// The letters of "don't know" as somebody's text are wrapped, where the question offers both.
const plain = (value) => value?.text ?? value;

// An answer as it stands in its field, so that the server reads back the same: a number without an exponent, and never so
// that its decimals could be taken for thousands (1.125).
export function asWritten(value) {
  if (typeof value !== "number") return String(plain(value) ?? "");
  const digits = value.toLocaleString("en", { useGrouping: false, maximumSignificantDigits: 15 });
  return /^-?[1-9]\d{0,2}\.\d{3}$/.test(digits) ? `${digits}0` : digits;
}

const spelled = (_key, inner) => {
  if (typeof inner === "number") return asWritten(inner);
  return typeof inner === "string" ? inner.replace(/\r\n?/g, "\n").trim() : inner;
};

// Whether they are one and the same to the server. A part that the page doesn't know (undefined) is like no other.
export const same = (one, other) =>
  one !== undefined && other !== undefined && JSON.stringify(one, spelled) === JSON.stringify(other, spelled);

// The words that somebody had to type, if it has any.
export function typed(part, content, isWritten) {
  if (part === "note") return content.trim();
  if (isReason(content)) return content.not_applicable.trim();
  return isWritten && content !== null && content !== undefined && content !== "dont_know" ? asWritten(content).trim() : "";
}

// What a person can't get back by one more click: words, or several choices.
export function substance(content, isWritten) {
  if (isReason(content)) return lacksReason(content) ? null : "reason";
  if (Array.isArray(content)) return "choices";
  return typed("value", content, isWritten) ? "text" : null;
}
