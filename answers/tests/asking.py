"""Asking the API about submissions."""

from __future__ import annotations

from typing import Any

from accounts.models import User
from answers.models import Submission
from api import ids
from config.tests.whole_schema import data

ERRORS = "errors { code path message }"
START = (
    "mutation ($input: StartSubmissionInput!) { done: startSubmission(input: $input) { submission { id state } %s } }"
)
SAVE = """
mutation ($input: SaveAnswersInput!) {
  done: saveAnswers(input: $input) {
    submission {
      revision answers { key value { choice choices number date text dontKnow notApplicable } note version }
    }
    conflicts { key current { label version updatedBy { name } } }
    errors { code path message }
  }
}
"""
SUBMIT = """
mutation ($input: SubmissionInput!) {
  done: submitSubmission(input: $input) { submission { state revision } openQuestions { key } errors { code path } }
}
"""
REOPEN = "mutation ($input: SubmissionInput!) { done: reopenSubmission(input: $input) { submission { state } %s } }"
DELETE = "mutation ($input: SubmissionInput!) { done: deleteDraft(input: $input) { deletedSubmissionId %s } }"


def do(user: User, document: str, **given: Any) -> Any:
    return data(user, document.replace("%s", ERRORS), input=given)["done"]


def id_of(submission: Submission) -> str:
    return ids.encode("Submission", submission.pk)


def answer(question: str, value: Any, *, note: str = "", expected: int = 0) -> dict[str, Any]:
    return {"question": question, "value": value, "note": note, "expectedVersion": expected}


def saved(user: User, draft: Submission, *answers: dict[str, Any]) -> Any:
    return do(user, SAVE, submission=id_of(draft), answers=list(answers))


def codes(payload: Any) -> list[tuple[str, list[str]]]:
    return [(error["code"], error["path"]) for error in payload["errors"]]
