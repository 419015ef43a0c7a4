// Keeps reports on the page up to date. A message on the socket is only a hint that there is something to fetch;
// after every reconnect the page asks for what it missed, so nothing depends on a socket having been open.

import { isOnItsWay, untilNoneIs } from "./pressing.js";

const OPEN_WITHIN = 4000;
const ANSWER_WITHIN = 20000;
const POLL_EVERY = 5000;
const LIST_EVERY = 1000;
const PING_EVERY = 10000;
const RETRY_FIRST = 500;
const RETRY_MOST = 30000;
const FAILURES_UNTIL_POLLING = 2;
const UNTIL_CLICKED = 100;
const LATE = 31000; // a little more than LATE in reports/problems.py

class SignedOut extends Error {}

async function get(url) {
  const signal = AbortSignal.timeout(ANSWER_WITHIN);
  const response = await fetch(url, { redirect: "manual", cache: "no-store", credentials: "same-origin", signal });
  if (response.type === "opaqueredirect" || response.status === 401 || response.status === 403) throw new SignedOut();
  if (response.status >= 500) throw new Error(`the server answered ${response.status}`);
  return response;
}

// The first at once, and then once a second, or for a fifth of the time where the server is slow: all tabs of an
// organisation ask for its list when somebody saves.
function nowAndThen(refresh) {
  let free = 0; // when it may begin again
  let planned = 0;
  return function run() {
    planned ||= setTimeout(async () => {
      planned = 0;
      const begun = performance.now();
      free = begun + LIST_EVERY;
      await refresh();
      free = Math.max(free, performance.now() + 4 * (performance.now() - begun));
    }, Math.max(0, free - performance.now()));
  };
}

// Runs one refresh at a time; asked again while it runs, it runs once more afterwards. One that fails is tried again.
function oneAtATime(refresh) {
  let running = false;
  let again = false;
  let later = 0;
  return async function run() {
    again = true;
    if (running) return;
    running = true;
    clearTimeout(later);
    try {
      while (again) {
        again = false;
        await refresh();
      }
      reached();
    } catch (error) {
      if (error instanceof SignedOut) return lostSignIn();
      missed();
      later = setTimeout(run, POLL_EVERY); // out of reach: no other hint may come
    } finally {
      running = false;
    }
  };
}

function announce(kind, title = "") {
  const place = document.querySelector("[data-live-announce]");
  const text = place?.dataset[`text${kind}`];
  if (text) place.textContent = text.replace("%s", title);
}

// Where the focus is found again in what replaces its surroundings: by its id, its address, or as the same of its kind
// below the next element with an id.
function sameAs(active, container) {
  const home = active.parentElement.closest("[id]");
  const below = () => (home && container.contains(home) ? document.getElementById(home.id) : container)?.querySelectorAll(active.localName);
  const position = [...below()].indexOf(active);
  const href = active.getAttribute("href");
  return () =>
    (active.id && document.getElementById(active.id)) ||
    (href && container.querySelector(`[href="${CSS.escape(href)}"]`)) ||
    below()?.[position] ||
    document.getElementById("main");
}

function keepFocus(container, change) {
  const active = document.activeElement;
  const found = active && active !== container && container.contains(active) && sameAs(active, container);
  change();
  if (found && !active.isConnected) found().focus({ preventScroll: true });
}

// What is read stays where it is on the screen while what is above it gets longer or shorter: the first thing with an id
// that begins on the screen, else the last one that began above it.
function keepPlace(container, change) {
  const seen = [...container.querySelectorAll("[id]")]
    .map((element) => ({ id: element.id, box: element.getBoundingClientRect() }))
    .filter(({ box }) => box.height > 0 && box.bottom > 0 && box.top < window.innerHeight)
    .map(({ id, box }) => ({ id, top: box.top }));
  const anchors = [
    ...seen.filter(({ top }) => top >= 0).sort((one, other) => one.top - other.top),
    ...seen.filter(({ top }) => top < 0).sort((one, other) => other.top - one.top),
  ];
  change();
  const anchor = anchors.find(({ id }) => container.contains(document.getElementById(id)));
  if (!anchor) return;
  const moved = document.getElementById(anchor.id).getBoundingClientRect().top - anchor.top;
  if (moved) window.scrollBy({ top: moved, behavior: "instant" });
}

// --------------------------------------------------------------------------------------------- what is being pressed
// A click is lost when its element is replaced or moves between pressing and letting go, so both wait until then. A form
// that is on its way is not replaced at all: its button shows that, and what the page says of it would be gone.
const waiting = [];
let isPressed = false;
let release = 0;

function press() {
  clearTimeout(release);
  isPressed = true;
}

function letGo() {
  if (!isPressed) return;
  clearTimeout(release);
  release = setTimeout(() => {
    isPressed = false;
    waiting.splice(0).forEach((goOn) => goOn());
  }, UNTIL_CLICKED);
}

async function released() {
  while (isPressed || isOnItsWay()) await (isPressed ? new Promise((resolve) => waiting.push(resolve)) : untilNoneIs());
}

async function setHidden(selector, isHidden) {
  await released();
  document.querySelectorAll(selector).forEach((place) => { place.hidden = isHidden; });
}

document.addEventListener("pointerdown", (event) => { if (event.button === 0) press(); }, true);
document.addEventListener("keydown", (event) => { if (event.key === " " && event.target.closest("button, summary")) press(); }, true);
document.addEventListener("pointermove", (event) => { if (event.buttons === 0) letGo(); }, true);
["pointerup", "pointercancel", "contextmenu", "keyup"].forEach((name) => document.addEventListener(name, letGo, true));
window.addEventListener("blur", letGo);

// ------------------------------------------------------------------------------------------------- the list
// The server tells of each change and gives the whole page of the list with it, so that rows, filter, pager and what is
// said of an empty list are always those that a reload would show.
function liveList(root) {
  const part = (name, within = root) => within.querySelector(`[data-live-${name}]`);
  const rows = part("rows");
  const asGiven = new Map([...rows.children].map((row) => [row.dataset.report, row.outerHTML]));
  let position = Number(root.dataset.position);

  function remove(row) {
    const neighbour = row.nextElementSibling ?? row.previousElementSibling;
    const focused = row.contains(document.activeElement);
    row.remove();
    asGiven.delete(row.dataset.report);
    if (focused) (neighbour?.querySelector("a") ?? document.getElementById("main"))?.focus({ preventScroll: true });
  }

  function replace(row, fresh) {
    if (asGiven.get(fresh.dataset.report) === fresh.outerHTML) return row;
    asGiven.set(fresh.dataset.report, fresh.outerHTML);
    fresh.classList.add("is-new");
    if (row) keepFocus(rows, () => row.replaceWith(fresh));
    return fresh;
  }

  // Rows that stay are not touched: what is focused, pressed or selected there is left as it is.
  function showRows(fresh) {
    const wanted = [...fresh.children];
    const ids = new Set(wanted.map((row) => row.dataset.report));
    [...rows.children].filter((row) => !ids.has(row.dataset.report)).forEach(remove);
    wanted.forEach((row, place) => {
      const known = rows.querySelector(`[data-report="${CSS.escape(row.dataset.report)}"]`);
      const shown = replace(known, row);
      if (rows.children[place] !== shown) rows.insertBefore(shown, rows.children[place] ?? null);
    });
    rows.hidden = fresh.hidden;
  }

  function showPart(name, fresh) {
    const old = part(name);
    old.hidden = fresh.hidden;
    if (old.innerHTML !== fresh.innerHTML) keepFocus(old, () => old.replaceChildren(...fresh.childNodes));
  }

  // What somebody has chosen and not sent yet stays chosen.
  function showFilter(fresh) {
    const old = part("filter");
    const selects = [...old.querySelectorAll("select")];
    if (!selects.length || !fresh.querySelector("select")) return showPart("filter", fresh);
    selects.forEach((select) => {
      const options = fresh.querySelector(`select[name="${select.name}"]`).innerHTML;
      if (select.innerHTML === options) return;
      const chosen = select.value;
      select.innerHTML = options;
      if ([...select.options].some((option) => option.value === chosen)) select.value = chosen;
    });
  }

  function show(html) {
    const template = document.createElement("template");
    template.innerHTML = html;
    showRows(part("rows", template.content));
    showPart("problems", part("problems", template.content));
    showPart("empty", part("empty", template.content));
    showPart("pager", part("pager", template.content));
    showFilter(part("filter", template.content));
  }

  const shownIds = () => new Set([...rows.children].map((row) => row.dataset.report));

  function tell(changes, before) {
    const after = shownIds();
    changes.forEach(({ id, title }) => {
      if (after.has(id)) announce(before.has(id) ? "Changed" : "New", title);
      else if (before.has(id)) announce("Removed");
    });
  }

  const refresh = oneAtATime(async () => {
    let more = true;
    while (more) {
      const response = await get(root.dataset.changesUrl + position);
      const news = response.ok && (await response.json());
      await setHidden("[data-live-left]", response.status !== 404);
      if (!news) return;
      if (news.list) {
        const before = shownIds();
        show(news.list);
        tell(news.changes, before);
      }
      more = news.more && news.position > position;
      position = news.position;
    }
  });
  return { refresh, hear: nowAndThen(refresh), concerns: (hint) => hint.position > position };
}

// ------------------------------------------------------------------------------------------------- the panel
function livePanel(root) {
  const content = root.querySelector("[data-live-content]");
  const title = root.querySelector("[data-text-final]");
  const awaited = root.dataset.liveWait === undefined ? null : Number(root.dataset.liveWait);
  const panel = () => content.querySelector("[data-panel]")?.dataset;
  const standing = () => content.querySelector("[data-standing]")?.dataset;
  let isLeaving = false;
  let saved = 0;
  let late = 0;

  // Whoever is on the way to another page already is let go: a second navigation would take back the first.
  function goWhenFinal() {
    const shown = panel();
    if (awaited === null || isLeaving || !shown || Number(shown.revision) < awaited) return;
    if (shown.final === "true") window.location.replace(shown.reportUrl);
    else if (Number(shown.revision) > awaited) window.location.reload(); // reopened by somebody, and changed
  }

  if (awaited !== null) {
    window.addEventListener("beforeunload", () => { isLeaving = true; });
    window.addEventListener("pageshow", () => { isLeaving = false; });
  }

  function replace(html) {
    keepFocus(content, () => { content.innerHTML = html; });
    if (title) title.textContent = panel()?.final === "true" ? title.dataset.textFinal : title.dataset.textDraft;
    goWhenFinal();
  }

  let shown = null;
  async function show(url) {
    const response = await get(url);
    if (!response.ok) return response.status; // removed by now
    const html = await response.text();
    await released();
    if (html !== shown) replace(html);
    shown = html;
    watchTheWait();
    return response.status;
  }
  const load = oneAtATime(() => show(root.dataset.panelUrl));
  // What takes long is asked about: the server says what it waits for. A page that waits and has nothing to show yet
  // is made anew.
  const ask = oneAtATime(async () => {
    const url = new URL(root.dataset.panelUrl, window.location.href);
    url.searchParams.set("late", "");
    const status = await show(url);
    await released();
    if (status === 404 && awaited !== null && !isLeaving) window.location.reload();
    watchTheWait();
  });

  function isWaiting() {
    return standing()?.standing === "made" || (!standing() && Number(panel()?.revision ?? 0) < saved);
  }

  function watchTheWait() {
    if (!isWaiting()) {
      clearTimeout(late);
      late = 0;
    } else {
      late ||= setTimeout(() => { late = 0; ask(); }, LATE);
    }
  }

  document.addEventListener("plumbline:saved", (event) => {
    saved = Math.max(saved, event.detail.revision);
    watchTheWait();
  });
  // Asks before it loads: as long as nothing is evaluated there is no panel to load.
  const refresh = oneAtATime(async () => {
    const response = await get(root.dataset.changesUrl + (panel()?.position ?? 0));
    if (!response.ok) return;
    const news = await response.json();
    const known = Number(standing()?.problem ?? 0);
    if (news.changes.some((change) => !change.removed) || (news.problem ?? 0) !== known) await load();
  });
  goWhenFinal();
  watchTheWait();
  return { refresh, hear: load, concerns: (hint) => hint.submission === root.dataset.livePanel && hint.state !== "removed" };
}

// ------------------------------------------------------------------------------------------------- the report page
function liveReport(root) {
  const stateOf = (report) => [report.dataset.revision, report.dataset.final, report.dataset.newest].join(" ");

  const newer = document.querySelector("[data-live-newer]");
  const isSelecting = () => {
    const selection = document.getSelection();
    return Boolean(selection?.rangeCount && !selection.isCollapsed && selection.containsNode(root.querySelector(".report"), true));
  };
  let held = null; // what arrived while somebody was selecting

  function replace({ fresh, title }) {
    held = null;
    newer.hidden = true;
    const before = root.querySelector(".report");
    const after = fresh.querySelector(".report");
    if (stateOf(before) === stateOf(after)) return;
    const opened = [...before.querySelectorAll("details[open][id]")].map((details) => details.id);
    keepPlace(root, () => keepFocus(root, () => {
      before.replaceWith(document.adoptNode(after));
      opened.forEach((id) => document.getElementById(id)?.setAttribute("open", ""));
      showPrintButton();
    }));
    document.title = title;
    announce(before.dataset.final === "false" && after.dataset.final === "true" ? "Final" : "Page");
  }

  // A selection would be gone with what it is in: it is offered to show what is newer, and shown when nothing is selected.
  function show(news) {
    const isSame = stateOf(root.querySelector(".report")) === stateOf(news.fresh.querySelector(".report"));
    if (isSame || !isSelecting()) return replace(news);
    held = news;
    newer.hidden = false;
  }

  newer.querySelector("button").addEventListener("click", () => { if (held) replace(held); });
  document.addEventListener("selectionchange", async () => {
    if (!held || isSelecting()) return;
    await released();
    if (held && !isSelecting()) replace(held);
  });

  const refresh = oneAtATime(async () => {
    const response = await get(root.dataset.url);
    if (response.status === 404) await setHidden("[data-live-gone]", false);
    if (!response.ok) return;
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    const fresh = page.querySelector("[data-live-report]");
    await released();
    if (fresh) show({ fresh, title: page.title });
  });
  return { refresh, concerns: (hint) => hint.submission === root.dataset.submission };
}

// ------------------------------------------------------------------------------------------------- the answers
// The overview and the review of a submission: a colleague saves, submits or reopens while the page is open.
function liveAnswers(root) {
  const place = root.querySelector("[data-live-news]");
  const stateOf = ({ revision, state, changed }) => [revision, state, changed].join(" ");

  function replace(fresh) {
    const before = root.querySelector("[data-live-current]");
    if (stateOf(before.dataset) === stateOf(fresh.dataset) || Number(fresh.dataset.revision) < Number(before.dataset.revision)) return;
    keepFocus(root, () => before.replaceWith(document.adoptNode(fresh)));
    tell("replaced");
    if (before.dataset.state === fresh.dataset.state) return;
    place.textContent = fresh.dataset.news;
    place.hidden = false;
  }

  const refresh = oneAtATime(async () => {
    const response = await get(root.dataset.url);
    const page = new DOMParser().parseFromString(response.ok ? await response.text() : "", "text/html");
    const fresh = page.querySelector("[data-live-current]");
    await setHidden("[data-live-answers-gone]", response.status !== 404);
    if (fresh) replace(fresh);
  });
  return { refresh, concerns: (hint) => hint.submission === root.dataset.liveAnswers };
}

// ------------------------------------------------------------------------------------------------- the connection
const targets = [
  ...[...document.querySelectorAll("[data-live-list]")].map(liveList),
  ...[...document.querySelectorAll("[data-live-panel]")].map(livePanel),
  ...[...document.querySelectorAll("[data-live-answers]")].map(liveAnswers),
  ...[...document.querySelectorAll("[data-live-report]:not([data-still])")].map(liveReport),
];
const positions = new Map(); // the newest position that the socket has told of, by organisation
let socket = null;
let failures = 0;
let retry = 0;
let poll = 0;
let ping = 0;

// What else on the page is kept true to the server (autosave.js) hears of the same hints.
function tell(name, detail = null) {
  document.dispatchEvent(new CustomEvent(`plumbline:${name}`, { detail }));
}

function refreshAll() {
  targets.forEach((target) => target.refresh());
  tell("live");
}

function showState(state) {
  document.querySelectorAll("[data-live-status]").forEach((place) => {
    place.hidden = false;
    place.dataset.state = state;
    place.textContent = place.dataset[`text${state[0].toUpperCase()}${state.slice(1)}`];
  });
}

// Whether what the page asks for is answered, where no socket tells.
function missed() {
  if (socket?.readyState !== WebSocket.OPEN && navigator.onLine !== false) showState("away");
}

function reached() {
  const isAway = document.querySelector("[data-live-status][data-state=away]");
  if (isAway) showState(socket?.readyState === WebSocket.OPEN ? "live" : "polling");
}

function startPolling() {
  if (poll || failures < FAILURES_UNTIL_POLLING) return;
  poll = setInterval(() => { if (!document.hidden) refreshAll(); }, POLL_EVERY);
  refreshAll();
}

function stopPolling() {
  clearInterval(poll);
  poll = 0;
}

function signOut() {
  stopPolling();
  clearTimeout(retry);
  clearInterval(ping);
  if (socket) socket.onclose = null;
  socket?.close();
  socket = null;
  document.querySelectorAll("[data-live-status]").forEach((place) => { place.hidden = true; });
  setHidden("[data-live-signed-out]", false);
}

function lostSignIn() {
  signOut();
  tell("lost-sign-in");
}

function opened() {
  failures = 0;
  stopPolling();
  showState("live");
  setHidden("[data-live-signed-out]", true);
  refreshAll();
}

// Hints get lost where a worker dies or Redis hangs up. Each change has the next number, and a pong tells the last one:
// a number that was left out shows that there is something to fetch.
function misses(organisation, position, next) {
  const known = positions.get(organisation) ?? -1;
  positions.set(organisation, Math.max(known, position));
  return position > known + next;
}

function heard(message) {
  const hint = JSON.parse(message.data);
  if (hint.type === "pong") {
    const missed = Object.entries(hint.positions).filter(([organisation, position]) => misses(organisation, position, 0));
    if (missed.length) refreshAll();
    return;
  }
  if (hint.type !== "report.changed") return;
  // What came quickly is told together: the newest change, and the newest of each other submission.
  const hints = [...(hint.others ?? []), hint];
  const told = Object.entries(hint.positions ?? { [hint.organisation]: [hint.position] });
  hints.forEach((each) => tell("report", each));
  if (told.filter(([organisation, each]) => each.filter((position) => misses(organisation, position, 1)).length).length) refreshAll();
  targets.filter((target) => hints.some(target.concerns)).forEach((target) => (target.hear ?? target.refresh)());
}

function closed(event) {
  clearInterval(ping);
  socket = null;
  if (event.code === 4401) {
    lostSignIn();
    return comeBack(); // the session may have a new key, which the cookie knows
  }
  failures += 1;
  const isAway = document.querySelector("[data-live-status][data-state=away]");
  if (navigator.onLine === false) showState("offline");
  else if (!isAway) showState(failures < FAILURES_UNTIL_POLLING ? "connecting" : "polling");
  startPolling();
  const longest = Math.min(RETRY_MOST, RETRY_FIRST * 2 ** Math.min(failures, 10));
  retry = setTimeout(connect, longest / 2 + (Math.random() * longest) / 2);
}

// A connection that died without a word looks open; only an unanswered ping shows it.
function watch(mine) {
  let answered = true;
  mine.addEventListener("message", () => { answered = true; });
  mine.send("ping");
  ping = setInterval(() => {
    if (!answered) return mine.close();
    answered = false;
    mine.send("ping");
  }, PING_EVERY);
}

function connect() {
  clearTimeout(retry);
  if (socket) return;
  const mine = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws/reports/`);
  const tooLong = setTimeout(() => mine.close(), OPEN_WITHIN);
  socket = mine;
  mine.onmessage = heard;
  mine.onopen = () => { clearTimeout(tooLong); watch(mine); opened(); };
  mine.onclose = (event) => { clearTimeout(tooLong); closed(event); };
}

function comeBack() {
  if (document.hidden) return;
  refreshAll();
  if (socket?.readyState === WebSocket.OPEN) showState("live");
  connect();
}

function showPrintButton() {
  document.querySelectorAll("[data-print]").forEach((button) => { button.hidden = false; });
}

showPrintButton();
document.addEventListener("click", (event) => { if (event.target.closest("[data-print]")) window.print(); });
window.addEventListener("beforeprint", () => {
  document.querySelectorAll("details:not([open])").forEach((details) => { details.open = true; details.dataset.forPrint = ""; });
});
window.addEventListener("afterprint", () => {
  document.querySelectorAll("details[data-for-print]").forEach((details) => { details.open = false; delete details.dataset.forPrint; });
});

if (targets.length) {
  connect();
  document.addEventListener("visibilitychange", comeBack);
  window.addEventListener("online", comeBack);
  document.addEventListener("plumbline:signed-out", signOut);
  document.addEventListener("plumbline:signed-in", comeBack);
  window.addEventListener("offline", () => showState("offline"));
  window.addEventListener("pageshow", (event) => { if (event.persisted) comeBack(); });
}
