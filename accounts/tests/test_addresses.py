"""Addresses: which are taken, and in which form they are kept and shown."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError

from accounts.addresses import normalised, readable


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("Sam@Example.org", "sam@example.org"),
        (" sam@example.org\n", "sam@example.org"),
        ("info@exämple.de", "info@xn--exmple-cua.de"),
        ("info@EXÄMPLE.de", "info@xn--exmple-cua.de"),
        ("info@exa\u0308mple.de", "info@xn--exmple-cua.de"),
        ("info@xn--exmple-cua.de", "info@xn--exmple-cua.de"),
        ("info@XN--EXMPLE-CUA.DE", "info@xn--exmple-cua.de"),
        ("info@straße.de", "info@xn--strae-oqa.de"),
        ("info@例え\u3002jp", "info@xn--r8jz45g.jp"),
        (
            "\uff53\uff41\uff4d\uff20\uff45\uff58\uff41\uff4d\uff50\uff4c\uff45\uff0e\uff4f\uff52\uff47",
            "sam@example.org",
        ),
        ("info@почта.рф", "info@xn--80a1acny.xn--p1ai"),
        ("sam@localhost", "sam@localhost"),
    ],
)
def test_an_address_is_kept_in_one_form(typed: str, kept: str) -> None:
    assert normalised(typed) == kept
    assert normalised(kept) == kept


@pytest.mark.parametrize("typed", ["", "sam", "@", "sam@", "@example.org", "sam@exämple", "sam@a b.de", "sam@☃.de"])
def test_what_is_no_address_is_refused(typed: str) -> None:
    with pytest.raises(ValidationError, match="Enter a valid email address"):
        normalised(typed)


def test_a_mailbox_outside_ascii_is_refused_with_what_is_possible() -> None:
    with pytest.raises(ValidationError, match="with “ö” before the @"):
        normalised("jörg@exämple.de")


@pytest.mark.parametrize(
    ("kept", "shown"),
    [
        ("info@xn--exmple-cua.de", "info@exämple.de"),
        ("info@xn--strae-oqa.de", "info@straße.de"),
        ("sam@example.org", "sam@example.org"),
        ("info@xn--80a1acny.xn--p1ai", "info@почта.рф"),
        ("info@xn--99999999999.de", "info@xn--99999999999.de"),
        ("info@xn--.de", "info@xn--.de"),
        ("", ""),
    ],
)
def test_an_address_is_shown_as_its_owner_writes_it(kept: str, shown: str) -> None:
    assert readable(kept) == shown
