// Which tabs of this browser are open. What a tab has not saved yet is its own as long as it is there: no other sends it.
// An open tab holds a lock; where a browser has no locks (a page that came by http), it answers when it is asked.

const ANSWERS_WITHIN = 700;
const ASK_AGAIN = 5000;

export const thisTab = `${Date.now().toString(36)}${Math.random().toString(36).slice(2, 10)}`;
const lockOf = (tab) => `plumbline.tab.${tab}`;
const channel = !navigator.locks && "BroadcastChannel" in window ? new BroadcastChannel("plumbline.tabs") : null;

navigator.locks?.request(lockOf(thisTab), () => new Promise(() => {}));
channel?.addEventListener("message", ({ data }) => {
  if (data.asked === thisTab) channel.postMessage({ here: thisTab });
});

const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

function answers(tab) {
  return new Promise((resolve) => {
    const end = (isHere) => {
      clearTimeout(late);
      channel.removeEventListener("message", listen);
      resolve(isHere);
    };
    const listen = ({ data }) => data.here === tab && end(true);
    const late = setTimeout(() => end(false), ANSWERS_WITHIN);
    channel.addEventListener("message", listen);
    channel.postMessage({ asked: tab });
  });
}

// Resolves as soon as the tab is no longer open: closed, gone to another page, or crashed.
export async function whenGone(tab) {
  if (!tab || tab === thisTab) return;
  if (navigator.locks) await navigator.locks.request(lockOf(tab), { mode: "shared" }, () => {});
  else if (channel) while (await answers(tab)) await pause(ASK_AGAIN);
}
