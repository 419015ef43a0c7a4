"""The life of a submission as mutations: each calls the function that the pages call, and says what came of it."""

from __future__ import annotations

import graphene

from answers.mutations.renaming import RenameLine
from answers.mutations.saving import SaveAnswers
from answers.mutations.starting import StartSubmission
from answers.mutations.submitting import DeleteDraft, ReopenSubmission, SubmitSubmission


# Each may be null, so that one that fails does not take the results of the others in its request along.
class Mutation(graphene.ObjectType):
    """Changing things."""

    start_submission = StartSubmission.Field(
        description="Begin a draft of the edition that is offered now; your own untouched one is given again."
    )
    save_answers = SaveAnswers.Field(
        description="Save answers of a draft. Where one of them is invalid, nothing is stored. What somebody else "
        "changed in between is left as it is, and the rest is stored."
    )
    submit_submission = SubmitSubmission.Field(
        description="Hand the answers in: a final report is made. Where nothing changed since the last time, it is "
        "only closed again; where the last time came to nothing (see `evaluationProblem`), this is another attempt."
    )
    reopen_submission = ReopenSubmission.Field(description="Make a submitted one a draft again. Its report stays.")
    rename_line = RenameLine.Field(
        description="Give a line another name. The reports of its drafts follow; a final report keeps the name that it "
        "was made with."
    )
    delete_draft = DeleteDraft.Field(description="Throw away a draft that was never submitted.")
