"""Evaluations in words that a person would use. All of them go through gettext."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from math import ceil
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from pydantic import JsonValue

from questionnaires.answers import DONT_KNOW
from questionnaires.definition import Question
from questionnaires.words import gap_of
from reports.coverage import Coverage
from reports.models import Report
from reports.numbers import show, show_score, show_share
from security.scoring.values import value_of

HEADLINES = {
    "A": gettext_lazy("The protections that matter most are in place."),
    "B": gettext_lazy("Most protections are in place, and the gaps are few."),
    "C": gettext_lazy("A solid start, with gaps that an attacker would find."),
    "D": gettext_lazy("Important protections are missing."),
    "E": gettext_lazy("Basic protections are missing: act now."),
}
HEADLINES_SO_FAR = {
    "A": gettext_lazy("So far, the protections that matter most are in place."),
    "B": gettext_lazy("So far, most protections are in place."),
    "C": gettext_lazy("So far, a solid start with gaps that an attacker would find."),
    "D": gettext_lazy("So far, important protections are missing."),
    "E": gettext_lazy("So far, basic protections are missing."),
}
NOT_KNOWN = {
    "D": gettext_lazy("It is not known whether important protections are in place."),
    "E": gettext_lazy("It is not known whether basic protections are in place: find out now."),
}
NOT_KNOWN_SO_FAR = {
    "D": gettext_lazy("So far, it is not known whether important protections are in place."),
    "E": gettext_lazy("So far, it is not known whether basic protections are in place."),
}
"""In place of the headline where "don't know" alone brings the rating down."""
THE_REST = {
    "A": gettext_lazy("The rest is in place."),
    "B": gettext_lazy("The rest is mostly in place."),
    "C": gettext_lazy("The rest is partly in place."),
    "D": gettext_lazy("The rest has large gaps."),
    "E": gettext_lazy("Little of the rest is in place."),
}
WHAT_IS_LEFT = {
    "A": gettext_lazy("What counts is in place."),
    "B": gettext_lazy("Most of what counts is in place."),
    "C": gettext_lazy("A part of what counts is in place."),
    "D": gettext_lazy("What counts has large gaps."),
    "E": gettext_lazy("Little of what counts is in place."),
}
"""In place of the rest while questions are not answered yet: they belong to the rest, too."""
WHAT_COUNTS = {
    "A": gettext_lazy("What counts is in place"),
    "B": gettext_lazy("Most of what counts is in place"),
    "C": gettext_lazy("A part of what counts is in place"),
}
WHAT_COUNTS_SO_FAR = {
    "A": gettext_lazy("So far, what counts is in place"),
    "B": gettext_lazy("So far, most of what counts is in place"),
    "C": gettext_lazy("So far, a part of what counts is in place"),
}
SEVERITIES = {
    "critical": (
        gettext_lazy("Critical"),
        gettext_lazy("A gate has failed: without this protection, little else helps."),
    ),
    "high": (gettext_lazy("High"), gettext_lazy("Of high impact, and nothing is known to be in place.")),
    "medium": (gettext_lazy("Medium"), gettext_lazy("Of high impact and begun, or of moderate impact.")),
    "low": (gettext_lazy("Low"), gettext_lazy("Of low impact.")),
}
WAVES = {
    "now": (gettext_lazy("Now"), gettext_lazy("Failed gates, and what brings most for little effort.")),
    "next": (gettext_lazy("Next"), gettext_lazy("Worth planning for the coming months.")),
    "later": (gettext_lazy("Later"), gettext_lazy("Brings less for its effort; take it up when the rest is done.")),
}
STATES = {
    "final": gettext_lazy("Final"),
    "provisional": gettext_lazy("Provisional"),
    "withdrawn": gettext_lazy("Withdrawn"),
}
CHANGES = {
    "resolved": gettext_lazy("Resolved"),
    "improved": gettext_lazy("Improved"),
    "regressed": gettext_lazy("Got worse"),
    "newly_asked": gettext_lazy("Newly counted"),
    "no_longer_applicable": gettext_lazy("No longer counted"),
}
GATES_FOR_E = 3
"""From so many failed gates on the rating is E."""
GOOD_ENOUGH = 50
"""The score from which on a rating is neither D nor E."""
TIERS = {
    "Partial": gettext_lazy("Partial"),
    "Risk Informed": gettext_lazy("Risk Informed"),
    "Repeatable": gettext_lazy("Repeatable"),
    "Adaptive": gettext_lazy("Adaptive"),
}
EFFORTS = {
    Decimal("1"): gettext_lazy("Low"),
    Decimal("1.5"): gettext_lazy("Low to moderate"),
    Decimal("2"): gettext_lazy("Moderate"),
    Decimal("2.5"): gettext_lazy("Moderate to high"),
    Decimal("3"): gettext_lazy("High"),
}
COSTS = {1: gettext_lazy("Low"), 2: gettext_lazy("Moderate"), 3: gettext_lazy("High")}
COMPLEXITIES = {1: gettext_lazy("Simple"), 2: gettext_lazy("Moderate"), 3: gettext_lazy("Complex")}
IMPACTS = {"high": gettext_lazy("High"), "moderate": gettext_lazy("Moderate"), "low": gettext_lazy("Low")}


def listed(words: Sequence[str]) -> str:
    """ "a", "a and b", "a, b and c"."""
    if len(words) < 2:
        return "".join(words)
    return _("%(all_but_last)s and %(last)s") % {"all_but_last": ", ".join(words[:-1]), "last": words[-1]}


def rating(report: Report) -> str:
    """The letter and what has to be said beside it; what is said in its place before half is answered."""
    if report.withdrawn:
        return _("none")
    if not report.rating_shown:
        return _("%(answered)s of %(asked)s answered") % {"answered": report.answered, "asked": report.asked}
    letter = report.rating or _("none")
    if not report.has_large_share:
        return letter
    share = _("%(share)s does not apply") % {"share": show_share(report.not_applicable_share)}
    return f"{letter}, {share}"


def missing(question: Question | None, value: JsonValue) -> str:
    """What an answer leaves open, so that nobody reads it as if it were in place.

    The questionnaire's own short negative where it has one. "Don't know" is not said to be missing. None: the
    question's edition is not installed.
    """
    title = (question.action or question.text) if question else ""
    if value == DONT_KNOW:
        return _("Not known whether it is done: %(title)s") % {"title": title} if title else _("Not known")
    if question and (question.gap or not value_of(question, value)):
        return gap_of(question)
    return _("Not fully in place: %(title)s") % {"title": title} if title else _("Not fully in place")


def headline(document: dict[str, Any], coverage: Coverage, *, rating_shown: bool) -> str:
    """The verdict in one sentence that what counts can bear."""
    if document["score"] is None:
        if document["provisional"]:
            return _("There is nothing to score yet.")
        return _("There is no score: nothing that counts applies to you.")
    if not rating_shown:
        return ngettext(
            "%(answered)s of %(count)s question answered: too early for a rating.",
            "%(answered)s of %(count)s questions answered: too early for a rating.",
            coverage.asked,
        ) % {"answered": coverage.answered, "count": coverage.asked}
    rating, so_far = document["rating"], document["provisional"]
    if _only_unknown(document):
        return str((NOT_KNOWN_SO_FAR if so_far else NOT_KNOWN)[rating])
    if _failed(document):
        return str((HEADLINES_SO_FAR if so_far else HEADLINES)[rating])
    if coverage.is_thin:
        return f"{_what_does_not_count(coverage, so_far=so_far)} {_the_rest(rating, coverage)}"
    return _gates_clause(rating, coverage, so_far=so_far) or str((HEADLINES_SO_FAR if so_far else HEADLINES)[rating])


def _failed(document: dict[str, Any]) -> set[str]:
    return {row["question"] for row in document["findings"] if row["severity"] == "critical"}


def _only_unknown(document: dict[str, Any]) -> bool:
    """Whether the rating is D or E, and nothing but "don't know" makes it so."""
    if document["rating"] not in NOT_KNOWN:
        return False
    grave = {row["question"] for row in document["findings"] if row["severity"] in ("critical", "high")}
    is_decisive = bool(_failed(document)) or document["score_high"] >= GOOD_ENOUGH
    return is_decisive and grave <= set(document["find_out"])


def _the_rest(rating: str, coverage: Coverage) -> str:
    """What is not answered yet is neither in place nor missing."""
    return str((THE_REST if coverage.answered == coverage.asked else WHAT_IS_LEFT)[rating])


def _what_does_not_count(coverage: Coverage, *, so_far: bool) -> str:
    if not coverage.has_large_share:
        return _("So far, only one question counts.") if so_far else _("Only one question counts.")
    if 2 * coverage.share > 1:
        return (
            _("So far, most of what was asked does not count.")
            if so_far
            else _("Most of what was asked does not count.")
        )
    return (
        _("So far, a large part of what was asked does not count.")
        if so_far
        else _("A large part of what was asked does not count.")
    )


def _gates_clause(rating: str, coverage: Coverage, *, so_far: bool) -> str:
    """A headline that says which gates do not bear it; empty where they all do."""
    if rating not in WHAT_COUNTS:
        return ""
    what = str((WHAT_COUNTS_SO_FAR if so_far else WHAT_COUNTS)[rating])
    clauses = _gates_that_do_not_count(coverage)
    if rating == "A" and not clauses and coverage.gates_short:
        what = _("So far, nearly everything is in place") if so_far else _("Nearly everything is in place")
        clauses = [
            ngettext(
                "%(count)s essential is not fully in place",
                "%(count)s essentials are not fully in place",
                len(coverage.gates_short),
            )
            % {"count": len(coverage.gates_short)}
        ]
    return _("%(what)s; %(gates)s.") % {"what": what, "gates": listed(clauses)} if clauses else ""


def _gates_that_do_not_count(coverage: Coverage) -> list[str]:
    left_out, waiting = len(coverage.gates_not_applicable), len(coverage.gates_open)
    clauses = []
    if left_out:
        words = ngettext("%(count)s essential does not count", "%(count)s essentials do not count", left_out)
        clauses.append(words % {"count": left_out})
    if waiting:
        words = ngettext(
            "%(count)s essential is not answered yet", "%(count)s essentials are not answered yet", waiting
        )
        clauses.append(words % {"count": waiting})
    return clauses


def verdict(
    document: dict[str, Any],
    coverage: Coverage,
    gains: Sequence[tuple[str, Decimal]],
    *,
    rating_shown: bool,
) -> list[str]:
    """The sentences below the headline: the score and what holds the rating down, how much counts, what helps most.

    `gains`: title and printed points of each step of the plan, the largest first.
    """
    if document["score"] is None:
        return [_no_score(document)]
    if not rating_shown:  # what a step gains shrinks with each further answer that counts
        return [_score_before_a_rating(document, coverage), coverage_sentence(coverage)]
    return [_score_sentence(document), coverage_sentence(coverage), *_gain_sentence(gains, coverage)]


def coverage_sentence(coverage: Coverage) -> str:
    """How many of the questions count, and why the others do not."""
    asked, counted = coverage.asked, coverage.counted
    if counted == asked:
        return ngettext("The only scored question counts.", "All %(count)s scored questions count.", asked) % {
            "count": asked
        }
    # The verb follows the number that counts.
    sentence = ngettext(
        "%(count)s of %(asked)s scored questions counts", "%(count)s of %(asked)s scored questions count", counted
    ) % {"count": counted, "asked": asked}
    reasons = []
    if coverage.not_applicable:
        reasons.append(
            ngettext(
                "%(count)s was answered with “not applicable”",
                "%(count)s were answered with “not applicable”",
                coverage.not_applicable,
            )
            % {"count": coverage.not_applicable}
        )
    if waiting := asked - coverage.answered:
        reasons.append(
            ngettext("%(count)s is not answered yet", "%(count)s are not answered yet", waiting) % {"count": waiting}
        )
    return _("%(sentence)s; %(reasons)s.") % {"sentence": sentence, "reasons": listed(reasons)}


def failed_gates_sentence(missing: int, unknown: int, rating: str) -> str:
    """How many gates failed, and what that does; without a rating only how many."""
    count = missing + unknown
    if not unknown:
        what = ngettext("%(count)s essential missing", "%(count)s essentials missing", count)
    elif not missing:
        what = ngettext("%(count)s essential not known", "%(count)s essentials not known", count)
    else:
        what = ngettext("%(count)s essential missing or not known", "%(count)s essentials missing or not known", count)
    what %= {"count": count}
    if not rating:
        return what
    if count >= GATES_FOR_E:
        return _("%(what)s; they keep the rating at E") % {"what": what}
    return ngettext(
        "%(what)s; it keeps the rating at D or below", "%(what)s; they keep the rating at D or below", count
    ) % {"what": what}


def gates_not_applicable_sentence(count: int) -> str:
    """How many gates do not count, and why."""
    return ngettext(
        "%(count)s essential does not count: “not applicable” was answered",
        "%(count)s essentials do not count: “not applicable” was answered",
        count,
    ) % {"count": count}


def _score_before_a_rating(document: dict[str, Any], coverage: Coverage) -> str:
    return _("You reach %(score)s of 100 points with what is answered. The rating appears with %(half)s answers.") % {
        "score": show_score(document["score"]),
        "half": ceil(Decimal(coverage.asked) / 2),
    }


def _no_score(document: dict[str, Any]) -> str:
    if document["provisional"]:
        return _("The score appears with the first answer that counts. It is neither 0 nor 100 until then.")
    return _("Every scored question was answered with “not applicable”, so the score is neither 0 nor 100.")


def _score_sentence(document: dict[str, Any]) -> str:
    params = {
        "score": show_score(document["score"]),
        "rating": document["rating"],
        "alone": document["rating_uncapped"],
        "gates": listed(document["capped_by"]),
    }
    if document["capped_by"]:
        return (
            _(
                "You reach %(score)s of 100 points. On their own they would rate %(alone)s; the rating is capped at "
                "%(rating)s by %(gates)s."
            )
            % params
        )
    return " ".join(
        [
            _("You reach %(score)s of 100 points, which rates %(rating)s.") % params,
            *_gates_that_do_not_lower_it(document),
        ]
    )


def _gates_that_do_not_lower_it(document: dict[str, Any]) -> list[str]:
    """They failed all the same, and would hold the rating down if the score were better."""
    failed = sorted(_failed(document))
    if not failed:
        return []
    if len(failed) >= GATES_FOR_E:
        return [_("%(gates)s would keep a better score at E.") % {"gates": listed(failed)}]
    return [_("%(gates)s would keep a better score at D.") % {"gates": listed(failed)}]


def _gain_sentence(gains: Sequence[tuple[str, Decimal]], coverage: Coverage) -> list[str]:
    if not gains:
        if coverage.counted < coverage.asked:
            return [_("There is nothing left to improve in what counts.")]
        return [_("There is nothing left to improve in what was asked.")]
    best = gains[:3]
    sentence = ngettext(
        "The biggest gain, %(points)s points: %(actions)s.",
        "The biggest gains, %(points)s points together: %(actions)s.",
        len(best),
    )
    total = sum((points for _title, points in best), Decimal(0))
    return [sentence % {"points": show(total, 4), "actions": listed([f"“{title}”" for title, _points in best])}]


def flag_in_words(flag: str) -> str:
    """What a reviewer should look at."""
    kind, _colon, question = flag.partition(":")
    if kind == "gate_not_applicable":
        return _("The gate %(question)s was marked as not applicable.") % {"question": question}
    if kind == "not_applicable_share":
        return _("More than a quarter of the weight was marked as not applicable.")
    return flag
