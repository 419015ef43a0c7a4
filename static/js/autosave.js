// Saves each answer by itself as soon as it is given. What is not saved yet stays in this browser's storage and is sent
// again: with growing pauses, when the network comes back, and on the next page. Without this script the form saves all.

const TYPING_PAUSE = 700;
const FIRST_RETRY = 1000;
const LONGEST_RETRY = 60000;
const GIVE_UP_WAITING = 20000;
const LONGEST_SUBMIT = 5000;
const MOST_SENT = 10;
const RADIO_KINDS = ["nplf", "yes_no", "single_choice"];

const root = document.querySelector("[data-autosave]");
const prefix = `${root.dataset.autosaveStore}.`;
const questions = new Map();
const elsewhere = new Map(); // requests on their way for questions of other pages
let isLeaving = false;
let isSubmitting = false;
let isSomebodyElse = false; // signed in in another tab: what was typed here must not be saved in that name
let newestRevision = 0;

const text = (name, values = {}) =>
  root.dataset[`text${name}`].replace(/\{(\w+)\}/g, (_match, key) => values[key] ?? "");
const TIME = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
const clock = (moment) => new Date(moment).toLocaleTimeString(document.documentElement.lang, TIME);
const lacksReason = (value) => value?.not_applicable?.trim() === "";
const same = (one, other) => JSON.stringify([one.value, one.note]) === JSON.stringify([other.value, other.note]);
const added = (sent, { value, note }) => [...sent.filter((one) => !same(one, { value, note })), { value, note }].slice(-MOST_SENT);
const trimmed = (_key, part) => (typeof part === "string" ? part.trim() : part);
const plain = ({ value, note }) => JSON.stringify([value, note], trimmed);
// Sent from here before, and the answer of the server never came: nobody else has changed anything.
const isOwn = (conflict, sent) => Boolean(conflict?.mine) && sent.some((one) => plain(one) === plain(conflict));

// ------------------------------------------------------------------------------------------- what is not saved yet
// A browser that forbids storage still saves; only a closed tab would lose what is unsent, and it warns first.
const inMemory = new Map();

function remember(id, entry) {
  inMemory.set(id, entry);
  store(id, entry);
}

function store(id, entry) {
  try {
    localStorage.setItem(prefix + id, JSON.stringify(entry));
  } catch (error) {
    console.warn("Plumbline can't keep unsaved answers in this browser's storage.", error);
  }
}

function forget(id) {
  inMemory.delete(id);
  try {
    localStorage.removeItem(prefix + id);
  } catch (error) {
    console.warn("Plumbline can't reach this browser's storage.", error);
  }
}

function remembered() {
  const entries = new Map();
  try {
    for (const key of Object.keys(localStorage)) {
      if (key.startsWith(prefix)) entries.set(key.slice(prefix.length), JSON.parse(localStorage.getItem(key)));
    }
  } catch (error) {
    console.warn("Plumbline can't read this browser's storage.", error);
  }
  return entries;
}

// ------------------------------------------------------------------------------------------------------- the server
// Signing in again changes the token, so the cookie knows better than the form.
function token() {
  const cookie = document.cookie.split("; ").find((pair) => pair.startsWith("csrftoken="));
  return cookie ? cookie.slice("csrftoken=".length) : document.querySelector("[name=csrfmiddlewaretoken]")?.value;
}

async function post({ question, value, note, version }) {
  try {
    const response = await fetch(root.dataset.autosave, {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-CSRFToken": token(), "X-Person": root.dataset.autosavePerson },
      body: JSON.stringify({ changes: [{ question, value, note, version }] }),
      credentials: "same-origin",
      signal: AbortSignal.timeout(GIVE_UP_WAITING),
    });
    const isJson = response.headers.get("Content-Type")?.startsWith("application/json");
    const body = isJson ? await response.json() : {};
    isSomebodyElse = body.error === "somebody_else";
    return { status: response.status, body };
  } catch (error) {
    console.info("The save did not get through.", error);
    return { status: 0, body: {} };
  }
}

const isWorthRetrying = (status) => status === 0 || status >= 500 || [401, 403, 408, 429].includes(status);

function refusal({ status, body }, id) {
  if (status === 404) return text("Gone");
  return body.errors?.[id] ?? body.message ?? text("Refused");
}

// --------------------------------------------------------------------------------------------------- one question
class Question {
  constructor(fieldset) {
    this.fieldset = fieldset;
    this.id = fieldset.dataset.question;
    this.isRadio = RADIO_KINDS.includes(fieldset.dataset.kind);
    this.version = this.inputs("version")[0];
    this.seen = this.inputs("seen")[0];
    this.failures = 0;
    this.sent = []; // what the server may have stored without our knowing
    this.sending = null;
    this.hasConflict = false;
    fieldset.addEventListener("input", (event) => this.onInput(event));
  }

  inputs(name) {
    return [...this.fieldset.querySelectorAll(`[name="${CSS.escape(`${this.id}:${name}`)}"]`)];
  }

  written(name) {
    return this.inputs(name)[0]?.value ?? "";
  }

  chosen(name) {
    return this.inputs(name).filter((input) => input.checked).map((input) => input.value);
  }

  get value() {
    const special = this.chosen(this.isRadio ? "value" : "special")[0] || null;
    if (special === "not_applicable") return { not_applicable: this.written("reason") };
    if (special || this.isRadio) return special;
    if (this.fieldset.dataset.kind === "multiple_choice") {
      const all = this.chosen("value");
      return all.length ? all : null;
    }
    return this.written("value").trim() || null;
  }

  // As the server would say it, in the words of the page.
  get inWords() {
    const value = this.value;
    if (value === null) return text("None");
    const isReason = value.not_applicable !== undefined;
    const wanted = isReason ? ["not_applicable"] : [value].flat();
    const chosen = [...this.inputs("value"), ...this.inputs("special")].filter(
      (input) => input.checked && wanted.includes(input.value),
    );
    const labels = chosen.map((input) => input.closest("label").querySelector("span").firstChild.textContent);
    if (!labels.length) labels.push([value, this.fieldset.querySelector(".written .muted")?.textContent ?? ""].join(" ").trim());
    return labels.join(", ") + (isReason && value.not_applicable ? `: ${value.not_applicable}` : "");
  }

  get change() {
    return { question: this.id, value: this.value, note: this.written("note"), version: Number(this.version.value) };
  }

  fill({ value, note }) {
    const isReason = value !== null && typeof value === "object" && !Array.isArray(value);
    const plain = isReason ? "not_applicable" : value;
    const isSpecial = isReason || plain === "dont_know";
    for (const input of this.inputs("special")) input.checked = input.value === (isSpecial ? plain : "");
    for (const input of this.inputs("value")) {
      if (["radio", "checkbox"].includes(input.type)) {
        input.checked = plain !== null && (Array.isArray(plain) ? plain.includes(input.value) : input.value === plain);
      } else input.value = isSpecial ? "" : (plain ?? "");
    }
    for (const input of this.inputs("reason")) input.value = isReason ? value.not_applicable : "";
    for (const input of this.inputs("note")) input.value = note;
    this.offerClearing();
  }

  offerClearing() {
    const clear = this.fieldset.querySelector("[data-clear]");
    if (clear) clear.hidden = this.value === null;
  }

  onInput({ target }) {
    const isWritten = !["radio", "checkbox"].includes(target.type);
    if (target.name === `${this.id}:value` && !this.isRadio) {
      for (const input of this.inputs("special")) input.checked = input.value === "";
    }
    if (this.isRadio && target.type === "radio" && target.value === "") {
      target.checked = false;
      this.fieldset.focus({ preventScroll: true });
    }
    this.offerClearing();
    this.touched(isWritten ? TYPING_PAUSE : 0);
  }

  remember() {
    const page = `${location.pathname}#${this.fieldset.id}`;
    const title = this.fieldset.querySelector("legend").textContent.trim();
    remember(this.id, { ...this.change, page, title, sent: this.sent });
  }

  touched(pause) {
    this.remember();
    if (this.hasConflict) return this.renewConflict();
    this.failures = 0;
    clearTimeout(this.timer);
    if (lacksReason(this.value)) this.show("waiting", text("Reason"));
    else {
      this.show("saving", text("Saving"));
      this.timer = setTimeout(() => this.send(), pause);
    }
  }

  // One request at a time: a second one would race the first for the answer's version.
  send() {
    clearTimeout(this.timer);
    if (!this.sending && !this.hasConflict && !lacksReason(this.value)) {
      this.sending = this.exchange().finally(() => (this.sending = null));
    }
    return this.sending;
  }

  async exchange() {
    const change = this.change;
    this.sent = added(this.sent, change);
    this.remember();
    this.take(await post(change), change);
  }

  // Resolves when what is on its way has arrived, and what was given meanwhile too.
  async finish() {
    await this.sending;
    if (inMemory.has(this.id)) await this.send();
  }

  take(reply, change) {
    const { status, body } = reply;
    const conflict = body.conflicts?.find((one) => one.question === this.id);
    if (status === 200) this.saved(body, change);
    else if (isOwn(conflict, this.sent)) this.insist(conflict);
    else if (conflict) this.showConflict(conflict);
    else if (isWorthRetrying(status)) this.retry(reply);
    else if (!same(change, this.change)) this.touched(0);
    else this.refused(reply);
    if (body.progress) updatePage(body);
  }

  saved(body, change) {
    this.failures = 0;
    this.sent = [];
    if (body.answers[this.id]) {
      this.version.value = body.answers[this.id].version;
      this.seen.value = body.answers[this.id].seen;
    }
    if (!same(change, this.change)) return this.touched(0);
    forget(this.id);
    this.show("saved", text("Saved", { time: clock(body.saved_at) }));
  }

  retry(reply) {
    const reason = reply.body.message ?? (reply.status === 403 ? text("Refused") : null);
    this.show("retrying", reason ? text("Stopped", { reason }) : text("Retrying"));
    const pause = Math.min(LONGEST_RETRY, FIRST_RETRY * 2 ** this.failures++);
    this.timer = setTimeout(() => this.send(), pause * (0.5 + Math.random() / 2));
  }

  refused(reply) {
    if (reply.status === 404) forget(this.id); // nothing of a deleted draft stays in this browser
    this.show("error", text("Stopped", { reason: refusal(reply, this.id) }));
  }

  show(state, words) {
    const place = this.fieldset.querySelector("[data-save-state]");
    place.dataset.saveState = state;
    if (place.textContent !== words) place.textContent = words;
  }

  showConflict(theirs) {
    this.hasConflict = true;
    const [changed, note, yours] = ["p", "p", "p"].map((name) => document.createElement(name));
    changed.textContent = text("Conflict", { by: theirs.by, time: clock(theirs.at), theirs: theirs.text });
    note.textContent = text("Note", { note: theirs.note });
    yours.dataset.conflictYours = "";
    yours.textContent = text("Yours", { yours: theirs.yours });
    const buttons = document.createElement("div");
    buttons.className = "cluster";
    buttons.append(this.button("Keep", () => this.keep(theirs)), this.button("Mine", () => this.insist(theirs)));
    const panel = this.fieldset.querySelector("[data-conflict]");
    panel.replaceChildren(changed, ...(theirs.note ? [note] : []), yours, buttons);
    panel.hidden = false;
    this.show("error", "");
  }

  // Whoever changes their answer below the panel chooses between what they see.
  renewConflict() {
    const words = text("Yours", { yours: this.inWords });
    const yours = this.fieldset.querySelector("[data-conflict-yours]");
    if (yours.textContent !== words) yours.textContent = words;
  }

  button(name, act) {
    const button = document.createElement("button");
    Object.assign(button, { type: "button", className: "button-secondary button-small", textContent: text(name) });
    button.addEventListener("click", () => {
      this.settle();
      act();
    });
    return button;
  }

  settle() {
    this.hasConflict = false;
    this.fieldset.querySelector("[data-conflict]").hidden = true;
    this.fieldset.focus({ preventScroll: true });
  }

  keep(theirs) {
    this.sent = [];
    this.version.value = theirs.version;
    this.seen.value = theirs.seen;
    this.fill(theirs);
    forget(this.id);
    this.show("saved", text("Saved", { time: clock(theirs.at) }));
  }

  insist(theirs) {
    this.version.value = theirs.version;
    this.sent = [];
    this.touched(0);
  }

  restore(entry) {
    const isTyped = inMemory.has(this.id); // by this page itself, which the server gave back unsaved
    this.sent = entry.sent ?? [];
    if (isTyped) return this.remember();
    if (same(entry, this.change)) return forget(this.id);
    this.fill(entry);
    this.version.value = entry.version;
    this.touched(0);
  }
}

// ---------------------------------------------------------------------------------------------------- the whole page
function updatePage({ revision, progress, visible }) {
  if (revision < newestRevision) return;
  newestRevision = revision;
  for (const place of document.querySelectorAll("[data-progress-text]")) place.textContent = progress.text;
  for (const bar of document.querySelectorAll("[data-progress-bar]")) {
    bar.max = progress.visible;
    bar.value = progress.answered;
  }
  let isMore = false;
  for (const { id, fieldset } of questions.values()) {
    const isAsked = visible.includes(id);
    isMore ||= isAsked && fieldset.hidden;
    fieldset.hidden = fieldset.disabled = !isAsked;
  }
  const news = root.querySelector("[data-autosave-news]");
  if (news) news.textContent = isMore ? text("More") : "";
}

// An answer that another page of this submission could not save. Another tab may have changed or saved it since.
async function sendElsewhere(id, failures = 0) {
  const entry = remembered().get(id);
  const attempt = entry && !lacksReason(entry.value) ? post(entry) : null;
  if (attempt) {
    store(id, { ...entry, sent: added(entry.sent ?? [], entry) });
    elsewhere.set(id, attempt);
  }
  const reply = await attempt;
  elsewhere.delete(id);
  const isSaved = reply?.status === 200;
  const conflict = reply?.body.conflicts?.find((one) => one.question === id);
  const now = remembered().get(id);
  if ((isSaved && now && same(now, entry)) || reply?.status === 404) forget(id);
  if (reply?.body.progress) updatePage(reply.body);
  if (now && isOwn(conflict, now.sent ?? [])) {
    store(id, { ...now, version: conflict.version, sent: [] });
    return sendElsewhere(id);
  }
  const isOpen = remembered().has(id);
  showElsewhere(id, isOpen && now);
  if (isOpen && reply && (isSaved || isWorthRetrying(reply.status))) {
    setTimeout(() => sendElsewhere(id, failures + 1), Math.min(LONGEST_RETRY, FIRST_RETRY * 2 ** failures));
  }
  if (isSaved) showAnew();
}

// The page that lists the answers is as old as they were.
function showAnew() {
  const address = root.dataset.autosaveAnew;
  if (address && !isLeaving && !isSubmitting && elsewhere.size === 0) location.replace(address);
}

function showElsewhere(id, entry) {
  const banner = root.querySelector("[data-autosave-banner]");
  const line = banner.querySelector(`[data-elsewhere="${CSS.escape(id)}"]`);
  if (!entry) line?.remove();
  else if (!line) banner.append(lineElsewhere(id, entry));
  banner.hidden = !banner.querySelector("[data-elsewhere]");
}

function lineElsewhere(id, { title, page }) {
  const link = Object.assign(document.createElement("a"), { href: page, textContent: title });
  const line = document.createElement("p");
  line.dataset.elsewhere = id;
  line.append(`${text("Elsewhere")} `, link);
  return line;
}

function start() {
  const kept = remembered();
  for (const fieldset of root.querySelectorAll("[data-question]")) {
    const question = new Question(fieldset);
    questions.set(question.id, question);
    const onServersPage = fieldset.querySelector("[data-server-conflict]");
    if (onServersPage) {
      onServersPage.remove(); // this script asks the same question with buttons
    }
    if (onServersPage || "unsaved" in fieldset.dataset) question.touched(0);
  }
  for (const [id, entry] of kept) {
    if (questions.has(id)) questions.get(id).restore(entry);
    else sendElsewhere(id);
  }
}

addEventListener("online", () => {
  for (const question of questions.values()) if (inMemory.has(question.id)) question.send();
});
addEventListener("beforeunload", (event) => {
  if (inMemory.size && !isLeaving) event.preventDefault();
});
// The form carries every answer itself. But it must not overtake what is on its way: the server would take the two for
// two people's, and what it carried would stay in the storage as unsaved.
root.addEventListener("submit", async (event) => {
  const isOpen = inMemory.size > 0 || elsewhere.size > 0;
  if (isOpen && !isLeaving) {
    event.preventDefault();
    if (isSubmitting) return;
    isSubmitting = true;
    await Promise.race([arrived(), new Promise((resolve) => setTimeout(resolve, LONGEST_SUBMIT))]);
    isSubmitting = false;
    if (isSomebodyElse) return [...questions.values()].find((question) => inMemory.has(question.id))?.fieldset.focus();
    isLeaving = true;
    event.target.requestSubmit(event.submitter);
  } else {
    isLeaving = true;
    const field = event.target.querySelector("[name=csrfmiddlewaretoken]");
    if (field) field.value = token();
  }
});
addEventListener("pageshow", () => (isLeaving = false));
start();

function arrived() {
  return Promise.all([...[...questions.values()].map((question) => question.finish()), ...elsewhere.values()]);
}
