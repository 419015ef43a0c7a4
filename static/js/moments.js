// Writes moments as `accounts/templatetags/moments.py` does: in the zone of the installation, which is always named.

const { zone, zoneNames = "" } = document.documentElement.dataset;
const NAMES = new Map(zoneNames.split(" ").map((pair) => pair.split("=")));
const UNTIL_NEXT_LOOK = 30000;

const digits = { year: "numeric", month: "numeric", day: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit" };
const [numbers, months] = [{ ...digits, hourCycle: "h23" }, { month: "short" }].map((wanted) => {
  const locale = wanted.hourCycle ? "en" : document.documentElement.lang || "en";
  try {
    return new Intl.DateTimeFormat(locale, { ...wanted, timeZone: zone });
  } catch {
    return new Intl.DateTimeFormat(locale, { ...wanted, timeZone: "UTC" }); // a zone that this browser does not know
  }
});

function parts(moment) {
  return Object.fromEntries(numbers.formatToParts(moment).map(({ type, value }) => [type, value]));
}

function zoneName(moment, { year, month, day, hour, minute, second }) {
  const offset = Math.round((Date.UTC(year, month - 1, day, hour, minute, second) - moment) / 60000);
  const name = NAMES.get(String(offset));
  if (name) return name;
  if (!offset) return "UTC";
  const [hours, minutes] = [Math.floor(Math.abs(offset) / 60), Math.abs(offset) % 60];
  return `UTC${offset < 0 ? "-" : "+"}${hours}${minutes ? `:${String(minutes).padStart(2, "0")}` : ""}`;
}

const dayOf = ({ year, month, day }) => [year, month, day].join("-");

// "30 Nov 2026, 04:35 UTC"; short: without the date where it is today.
export function words(iso, { short = false } = {}) {
  const moment = new Date(iso);
  moment.setUTCMilliseconds(0);
  const here = parts(moment);
  const time = `${here.hour}:${here.minute} ${zoneName(moment, here)}`;
  if (short && dayOf(here) === dayOf(parts(new Date()))) return time;
  return `${here.day} ${months.format(moment)} ${here.year}, ${time}`;
}

// The element that the server's pages have. A short one gets its date by itself after midnight.
export function element(iso, { short = false } = {}) {
  const time = document.createElement("time");
  time.dateTime = iso;
  if (short) time.dataset.short = "";
  time.textContent = words(iso, { short });
  return time;
}

function renew() {
  for (const time of document.querySelectorAll("time[data-short]")) {
    const now = words(time.dateTime, { short: true });
    if (time.textContent !== now) time.textContent = now;
  }
}

setInterval(renew, UNTIL_NEXT_LOOK);
addEventListener("pageshow", renew);
document.addEventListener("visibilitychange", renew);
