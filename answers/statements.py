"""The statements of a save, written out or built once: having Django build them anew took longer than running them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any
from uuid import UUID

from django.db import connection, models

from accounts.models import User
from answers.models import Answer, Submission
from rows import Reader

_CHANGED = ("version", "value", "value_version", "note", "note_version", "updated_by_id", "updated_at")
_PARTS = ("value", "note")
_STORED = ("submission_id", "question", *_CHANGED, *(f"{part}_{name}" for part in _PARTS for name in ("by_id", "at")))
# Who changed a part, and when, is not read for a save: a part without a time was not changed, and what is stored stays.
_STORE = f"""
    INSERT INTO answers_answer ({", ".join(_STORED)}) VALUES <rows>
    ON CONFLICT (submission_id, question) DO UPDATE SET
    {", ".join(f"{name} = excluded.{name}" for name in _CHANGED)},
    {
    ", ".join(
        f"{part}_at = COALESCE(excluded.{part}_at, answers_answer.{part}_at), {part}_by_id = "
        f"CASE WHEN excluded.{part}_at IS NULL THEN answers_answer.{part}_by_id ELSE excluded.{part}_by_id END"
        for part in _PARTS
    )
}
"""  # noqa: S608  (names of our own columns)
_SUBMISSIONS = Reader(Submission)
_STANDING = Reader(
    Answer, ("id", "submission_id", "question", "version", "value", "value_version", "note", "note_version")
)
_ANSWERS = f"SELECT {_STANDING.columns} FROM answers_answer WHERE submission_id = %s"  # noqa: S608  (as above)
# The lock was waited for, perhaps while somebody renamed the line: a statement that comes after it sees the new name.
_STORE_REVISION = """
    UPDATE answers_submission SET revision = %s, updated_at = %s WHERE id = %s
    RETURNING (SELECT name FROM answers_line WHERE answers_line.id = answers_submission.line_id)
"""
_ROW = f"({', '.join(['%s'] * len(_STORED))})"


def lock(submission_id: UUID, user: User) -> Submission:
    """The submission, its row locked until the transaction ends; raises DoesNotExist for somebody else's, too."""
    arguments = [_prepared(User, "id", user.pk), _prepared(Submission, "id", submission_id)]
    for submission in _SUBMISSIONS.read(_lock_statement(connection.vendor), arguments):
        return submission
    raise Submission.DoesNotExist


@cache
def _lock_statement(vendor: str) -> str:
    """What `visible_to` says, as a statement that takes a person's and a submission's id."""
    found = Submission.objects.visible_to(User(pk=UUID(int=1))).filter(pk=UUID(int=2))
    statement, arguments = found.select_for_update(of=("self",)).query.sql_with_params()
    if f"SELECT {_SUBMISSIONS.columns} FROM" not in statement:
        raise AssertionError("it selects other columns than its reader reads")
    if [UUID(str(argument)).int for argument in arguments] != [1, 2]:
        raise AssertionError("visible_to asks for more than the person")
    return statement


def answers_of(submission: Submission) -> dict[str, Answer]:
    """Every stored answer of the submission by question id; who changed it when is loaded where somebody asks."""
    found = _STANDING.read(_ANSWERS, [_prepared(Submission, "id", submission.pk)])
    return {answer.question: answer for answer in found}


def store(answers: Sequence[Answer]) -> None:
    """Insert these answers, or replace those to the same questions. A part of which the time is None was not changed:
    the person and the time that are stored for it stay."""
    arguments = [_prepared(Answer, name, getattr(answer, name)) for answer in answers for name in _STORED]
    with connection.cursor() as cursor:
        cursor.execute(_STORE.replace("<rows>", ", ".join([_ROW] * len(answers))), arguments)


def store_revision(submission: Submission) -> str:
    """Store the submission's revision, and when it changed; give the name that its line has now."""
    arguments = [_prepared(Submission, name, getattr(submission, name)) for name in ("revision", "updated_at", "id")]
    with connection.cursor() as cursor:
        cursor.execute(_STORE_REVISION, arguments)
        return str(cursor.fetchall()[0][0])


def _prepared(model: type[models.Model], name: str, value: object) -> Any:
    """The value as the database at hand keeps it."""
    field = model._meta.get_field(name.removesuffix("_id"))
    assert isinstance(field, models.Field)
    return field.get_db_prep_save(value, connection)
