// Saves each answer by itself as soon as it is given (answering/question.js), and keeps the page true to what colleagues
// and other tabs change (answering/draft.js). What is not saved yet stays in this browser (answering/unsent.js).
// Without this script the form saves all.

import * as draft from "./answering/draft.js";
import * as elsewhere from "./answering/elsewhere.js";
import * as leaving from "./answering/leaving.js";
import { root } from "./answering/page.js";
import { Question } from "./answering/question.js";
import { onReply } from "./answering/server.js";
import * as unsent from "./answering/unsent.js";

const page = { replied: draft.replied, reload: draft.reload, changed: leaving.changed };

for (const fieldset of root.querySelectorAll("[data-question]")) {
  const question = new Question(fieldset, page);
  draft.questions.set(question.id, question);
}
for (const question of draft.questions.values()) {
  question.fieldset.querySelector("[data-server-conflict]")?.remove(); // this script asks the same with buttons
  if (question.isOpen) question.touched(0);
}
elsewhere.lookAfter();
unsent.onChange(() => {
  elsewhere.lookAfter();
  leaving.tryAgain();
});
onReply(() => setTimeout(leaving.tryAgain));

// A hint tells that something of the submission was changed; after a reconnect it may be anything.
document.addEventListener("plumbline:report", ({ detail }) => {
  const isOurs = detail.submission === root.dataset.autosaveSubmission;
  if (isOurs && (detail.state === "removed" || !draft.isCurrent(detail.revision))) draft.reload();
});
document.addEventListener("plumbline:live", draft.reload);
document.addEventListener("plumbline:lost-sign-in", draft.reload);
document.addEventListener("visibilitychange", draft.comeBack);
addEventListener("online", draft.comeBack);
addEventListener("focus", () => draft.whyNot() && draft.comeBack());
