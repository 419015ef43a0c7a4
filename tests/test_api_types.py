"""Types generated from schema.graphql hold a TypeScript client to the schema, in its strictest reading."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.javascript import Project

pytestmark = pytest.mark.process

RIGHT = """
import type { ReportRowFragment } from './gql/graphql.js';
export const letter = (report: ReportRowFragment): string => report.rating ?? '-';
export const day = (report: ReportRowFragment): string => report.createdAt.slice(0, 10);
export const isFinal = (report: ReportRowFragment): boolean => report.state === 'FINAL';
export const owner = (report: ReportRowFragment): string => report.organisation.name;
"""


@pytest.fixture(scope="module")
def own_project(node: str, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The documentation's files alone, with their types."""
    project = Project(tmp_path_factory.mktemp("types") / "project")
    done = project.generate()
    assert done.returncode == 0, done.stdout + done.stderr
    return project


def complaints(project: Project, source: str) -> set[str]:
    """The compiler's about a file that is added, without the places."""
    path = project.folder / "src" / "added.ts"
    path.write_text(source)
    try:
        done = project.compile()
    finally:
        path.unlink()
    assert (done.returncode == 0) == (done.stdout == ""), done.stderr
    return {re.sub(r"^\S+ error ", "", line) for line in done.stdout.splitlines() if line.startswith("src/")}


def test_a_client_that_keeps_to_the_schema_compiles(own_project: Project) -> None:
    assert complaints(own_project, RIGHT) == set()


def test_a_client_that_does_not_is_refused(own_project: Project) -> None:
    wrong = """
import type { ReportRowFragment } from './gql/graphql.js';
export const letter = (report: ReportRowFragment): string => report.rating;
export const owner = (report: ReportRowFragment): string => report.organisation.title;
export const changed = (report: ReportRowFragment): string => report.updatedAt;
export const isFinal = (report: ReportRowFragment): boolean => report.state === 'DONE';
export const day = (report: ReportRowFragment): number => report.createdAt.getDay();
"""

    told = complaints(own_project, wrong)

    assert {complaint.split(" on type ")[0].split(" because ")[0] for complaint in told} == {
        "TS2322: Type 'string | null | undefined' is not assignable to type 'string'.",
        "TS2339: Property 'title' does not exist",
        "TS2339: Property 'updatedAt' does not exist",
        "TS2367: This comparison appears to be unintentional",
        "TS2339: Property 'getDay' does not exist",
    }


def test_an_operation_that_does_not_fit_the_schema_gets_no_types(node: str, tmp_path: Path) -> None:
    project = Project(tmp_path / "project")
    path = project.folder / "src" / "operations.ts"
    path.write_text(path.read_text().replace("ratingShown state createdAt", "ratingShown mark createdAt"))

    done = project.generate()

    assert done.returncode == 1
    assert 'Cannot query field "mark" on type "Report"' in done.stdout + done.stderr
