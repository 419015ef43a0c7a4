"""Old forms are written until everybody reads the new ones."""

from __future__ import annotations

import pytest

from contracts import rolling


def test_before_anybody_was_heard_only_old_forms_are_written() -> None:
    assert not rolling.all_read("0.3.0")


@pytest.mark.parametrize(
    ("running", "read"),
    [
        (["0.3.0"], True),
        (["0.3.0", "0.4.0.dev0"], True),
        (["0.3.0.dev0"], True),
        (["0.10.0", "1.0.0"], True),
        (["0.3.0", ""], False),
        (["0.3.0", "0.2.9"], False),
        (["0.3.0", "mine"], False),
        ([], False),
    ],
)
def test_a_form_is_written_once_every_process_is_of_the_version_that_reads_it(running: list[str], read: bool) -> None:
    rolling.heard(["0.3.0"])

    rolling.heard(running)

    assert rolling.all_read("0.3.0") is read


def test_a_later_form_waits_for_its_own_version() -> None:
    rolling.heard(["0.3.0", "0.4.0"])

    assert (rolling.all_read("0.3.0"), rolling.all_read("0.4.0")) == (True, False)
