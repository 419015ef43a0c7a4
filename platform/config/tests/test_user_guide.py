"""The user guide speaks of the product that is there: what it prints in bold stands on a page."""

from __future__ import annotations

import re
from pathlib import Path

from django.conf import settings

PAGES = ("templates/**/*.html", "accounts/forms.py", "platform/questionnaires/words.py", "reports/wording.py")
FILLED_IN = {
    "Saved 14:03 UTC": "Saved {time}",
    "Not saved:": "Not saved: {reason}",
    "changed this on": "{by} changed this on {time}: {theirs}",
    "You chose:": "You chose: {yours}",
    "2 essentials missing; they keep the rating at D or below": "%(what)s; they keep the rating at D or below",
    "92% does not apply": "{{ share }} does not apply",
}
FROM_A_LIBRARY = {"Forgot your password?"}


def test_the_user_guide_names_buttons_and_states_as_the_pages_do() -> None:
    guide = (Path(settings.ROOT) / "docs" / "user-guide.md").read_text()
    named = {re.sub(r"\s+", " ", words) for words in re.findall(r"\*\*([^*]+)\*\*", guide)} - {"bold"}
    pages = "\n".join(path.read_text() for pattern in PAGES for path in sorted(Path(settings.ROOT).glob(pattern)))

    assert len(named) > 40
    missing = sorted(words for words in named - FROM_A_LIBRARY if FILLED_IN.get(words, words) not in pages)
    assert missing == []
