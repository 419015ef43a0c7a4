// Keeps reports on the page up to date. A message on the socket is only a hint that there is something to fetch;
// after every reconnect the page asks for what it missed, so nothing depends on a socket having been open.

const OPEN_WITHIN = 4000;
const POLL_EVERY = 5000;
const PING_EVERY = 10000;
const RETRY_FIRST = 500;
const RETRY_MOST = 30000;
const FAILURES_UNTIL_POLLING = 2;
const UNTIL_CLICKED = 100;

class SignedOut extends Error {}

async function get(url) {
  const response = await fetch(url, { redirect: "manual", cache: "no-store", credentials: "same-origin" });
  if (response.type === "opaqueredirect" || response.status === 401 || response.status === 403) throw new SignedOut();
  if (response.status >= 500) throw new Error(`the server answered ${response.status}`);
  return response;
}

// Runs one refresh at a time; asked again meanwhile, it runs once more afterwards. One that fails is tried again.
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
    } catch (error) {
      if (error instanceof SignedOut) signOut();
      else later = setTimeout(run, POLL_EVERY); // out of reach: no other hint may come
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

// --------------------------------------------------------------------------------------------- what is being pressed
// A click is lost when its element is replaced between pressing and letting go, so replacing waits until then.
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

const released = () => isPressed && new Promise((resolve) => waiting.push(resolve));

document.addEventListener("pointerdown", (event) => { if (event.button === 0) press(); }, true);
document.addEventListener("keydown", (event) => { if (event.key === " " && event.target.closest("button, summary")) press(); }, true);
document.addEventListener("pointermove", (event) => { if (event.buttons === 0) letGo(); }, true);
["pointerup", "pointercancel", "contextmenu", "keyup"].forEach((name) => document.addEventListener(name, letGo, true));
window.addEventListener("blur", letGo);

// ------------------------------------------------------------------------------------------------- the list
function liveList(root) {
  const rows = root.querySelector("[data-live-rows]");
  const empty = root.querySelector("[data-live-empty]");
  const onFirstPage = root.dataset.firstPage === "true";
  const pageSize = Number(root.dataset.pageSize);
  let position = Number(root.dataset.position);

  function rowOf(html) {
    const template = document.createElement("template");
    template.innerHTML = html.trim();
    return template.content.firstElementChild;
  }

  function place(row) {
    const older = [...rows.children].find((other) => Number(other.dataset.created) < Number(row.dataset.created));
    const full = rows.children.length >= pageSize;
    if (!older && full) return false;
    rows.insertBefore(row, older ?? null);
    if (full) rows.lastElementChild.remove();
    return true;
  }

  function remove(row) {
    const neighbour = row.nextElementSibling ?? row.previousElementSibling;
    const focused = row.contains(document.activeElement);
    row.remove();
    if (focused) (neighbour?.querySelector("a") ?? document.getElementById("main"))?.focus({ preventScroll: true });
    announce("Removed");
  }

  function show(row, known) {
    const stays = known && known.dataset.created === row.dataset.created;
    if (stays) keepFocus(rows, () => known.replaceWith(row));
    else if (known && !onFirstPage) return remove(known);
    else if (!onFirstPage) return;
    else keepFocus(rows, () => { known?.remove(); place(row); });
    if (!row.isConnected) return;
    row.classList.add("is-new");
    announce(stays ? "Changed" : "New", row.dataset.title);
  }

  function apply(change) {
    const known = rows.querySelector(`[data-report="${CSS.escape(change.id)}"]`);
    if (!change.removed) show(rowOf(change.row), known);
    else if (known) remove(known);
    rows.hidden = rows.children.length === 0;
    empty.hidden = !rows.hidden;
  }

  const refresh = oneAtATime(async () => {
    let more = true;
    while (more) {
      const response = await get(root.dataset.changesUrl + position);
      if (!response.ok) return;
      const news = await response.json();
      await released();
      news.changes.forEach(apply);
      more = news.more && news.position > position;
      position = news.position;
    }
  });
  return { refresh, concerns: (hint) => hint.position > position };
}

// ------------------------------------------------------------------------------------------------- the panel
function livePanel(root) {
  const content = root.querySelector("[data-live-content]");
  const title = root.querySelector("[data-text-final]");
  const awaited = root.dataset.liveWait === undefined ? null : Number(root.dataset.liveWait);
  const panel = () => content.querySelector("[data-panel]")?.dataset;
  let isLeaving = false;

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
  const load = oneAtATime(async () => {
    const response = await get(root.dataset.panelUrl);
    if (!response.ok) return; // removed meanwhile
    const html = await response.text();
    await released();
    if (html !== shown) replace(html);
    shown = html;
  });
  // Asks before it loads: as long as nothing is evaluated there is no panel to load.
  const refresh = oneAtATime(async () => {
    const response = await get(root.dataset.changesUrl + (panel()?.position ?? 0));
    if (!response.ok) return;
    const news = await response.json();
    if (news.changes.some((change) => !change.removed)) await load();
  });
  goWhenFinal();
  return { refresh, hear: load, concerns: (hint) => hint.submission === root.dataset.livePanel && hint.state !== "removed" };
}

// ------------------------------------------------------------------------------------------------- the report page
function liveReport(root) {
  const stateOf = (report) => [report.dataset.revision, report.dataset.final, report.dataset.newest].join(" ");

  function replace(fresh) {
    const before = root.querySelector(".report");
    const after = fresh.querySelector(".report");
    if (stateOf(before) === stateOf(after)) return;
    const opened = [...before.querySelectorAll("details[open][id]")].map((details) => details.id);
    keepFocus(root, () => {
      before.replaceWith(document.adoptNode(after));
      opened.forEach((id) => document.getElementById(id)?.setAttribute("open", ""));
      showPrintButton();
    });
    announce(before.dataset.final === "false" && after.dataset.final === "true" ? "Final" : "Page");
  }

  const refresh = oneAtATime(async () => {
    const response = await get(root.dataset.url);
    if (response.status === 404) document.querySelector("[data-live-gone]")?.removeAttribute("hidden");
    if (!response.ok) return;
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    const fresh = page.querySelector("[data-live-report]");
    await released();
    if (fresh) replace(fresh);
  });
  return { refresh, concerns: (hint) => hint.submission === root.dataset.submission };
}

// ------------------------------------------------------------------------------------------------- the connection
const targets = [
  ...[...document.querySelectorAll("[data-live-list]")].map(liveList),
  ...[...document.querySelectorAll("[data-live-panel]")].map(livePanel),
  ...[...document.querySelectorAll("[data-live-report]:not([data-still])")].map(liveReport),
];
const positions = new Map(); // the newest position that the socket has told of, by organisation
let socket = null;
let failures = 0;
let retry = 0;
let poll = 0;
let ping = 0;

function refreshAll() {
  targets.forEach((target) => target.refresh());
}

function showState(state) {
  document.querySelectorAll("[data-live-status]").forEach((place) => {
    place.hidden = false;
    place.dataset.state = state;
    place.textContent = place.dataset[`text${state[0].toUpperCase()}${state.slice(1)}`];
  });
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
  document.querySelectorAll("[data-live-signed-out]").forEach((place) => { place.hidden = false; });
}

function opened() {
  failures = 0;
  stopPolling();
  showState("live");
  document.querySelectorAll("[data-live-signed-out]").forEach((place) => { place.hidden = true; });
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
  if (misses(hint.organisation, hint.position, 1)) refreshAll();
  targets.filter((target) => target.concerns(hint)).forEach((target) => (target.hear ?? target.refresh)());
}

function closed(event) {
  clearInterval(ping);
  socket = null;
  if (event.code === 4401) return signOut();
  failures += 1;
  showState(navigator.onLine === false ? "offline" : failures < FAILURES_UNTIL_POLLING ? "connecting" : "polling");
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
  window.addEventListener("offline", () => showState("offline"));
  window.addEventListener("pageshow", (event) => { if (event.persisted) comeBack(); });
}
