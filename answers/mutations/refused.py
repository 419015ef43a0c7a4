"""What every mutation of a submission needs: to find it, and to say why not."""

from __future__ import annotations

from uuid import UUID

from django.utils.translation import gettext as _

from accounts.models import User
from answers import models
from answers.types import Submission
from api import ids
from api.user_errors import Problem

SUBMISSION = ("input", "submission")


class Refused(Exception):
    """Nothing was stored; `problems` says why."""

    def __init__(self, *problems: Problem) -> None:
        self.problems = list(problems)
        super().__init__(", ".join(problem.code for problem in problems))


def find(user: User, submission_id: str) -> models.Submission:
    found = Submission.visible_to(user).filter(pk=key_of(submission_id)).first()
    if found is None:
        raise Refused(not_found())
    return found


def not_found(path: tuple[str, ...] = SUBMISSION) -> Problem:
    return Problem("NOT_FOUND", path, _("There is no such object."))


def key_of(submission_id: str) -> UUID:
    return ids.key_of("Submission", submission_id)
