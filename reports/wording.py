"""Evaluations in words that a person would use. All of them go through gettext."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from reports.numbers import show, show_score

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
SEVERITIES = {
    "critical": (
        gettext_lazy("Critical"),
        gettext_lazy("A gate has failed: without this protection, little else helps."),
    ),
    "high": (gettext_lazy("High"), gettext_lazy("Of high impact, and nothing is in place.")),
    "medium": (gettext_lazy("Medium"), gettext_lazy("Of high impact and begun, or of moderate impact.")),
    "low": (gettext_lazy("Low"), gettext_lazy("Of low impact.")),
}
WAVES = {
    "now": (gettext_lazy("Now"), gettext_lazy("Failed gates, and what brings most for little effort.")),
    "next": (gettext_lazy("Next"), gettext_lazy("Worth planning for the coming months.")),
    "later": (gettext_lazy("Later"), gettext_lazy("Brings less for its effort; take it up when the rest is done.")),
}
CHANGES = {
    "resolved": gettext_lazy("Resolved"),
    "improved": gettext_lazy("Improved"),
    "regressed": gettext_lazy("Got worse"),
    "newly_asked": gettext_lazy("Newly counted"),
    "no_longer_applicable": gettext_lazy("No longer counted"),
}
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


def headline(document: dict[str, Any]) -> str:
    """The verdict in one sentence."""
    if document["score"] is not None:
        return str((HEADLINES_SO_FAR if document["provisional"] else HEADLINES)[document["rating"]])
    if document["provisional"]:
        return _("There is nothing to score yet.")
    return _("There is no score: nothing that counts applies to you.")


def verdict(document: dict[str, Any], titles: dict[str, str]) -> list[str]:
    """The sentences below the headline: the score, what holds the rating down, and what would help most."""
    if document["score"] is None:
        return [_no_score(document)]
    return [_score_sentence(document), *_gain_sentence(document["plan"], titles)]


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
    return _("You reach %(score)s of 100 points, which rates %(rating)s.") % params


def _gain_sentence(plan: list[dict[str, Any]], titles: dict[str, str]) -> list[str]:
    if not plan:
        return [_("There is nothing left to improve in what was asked.")]
    # Sorting is stable: of equal gains, the plan's order decides.
    best = sorted(plan, key=lambda action: -action["points"])[:3]
    gain = sum((Decimal(str(action["points"])) for action in best), Decimal(0))
    sentence = ngettext(
        "The biggest gain, %(points)s points: %(actions)s.",
        "The biggest gains, %(points)s points together: %(actions)s.",
        len(best),
    )
    actions = listed([f"“{titles.get(action['question'], action['question'])}”" for action in best])
    return [sentence % {"points": show(gain), "actions": actions}]


def flag_in_words(flag: str) -> str:
    """What a reviewer should look at."""
    kind, _colon, question = flag.partition(":")
    if kind == "gate_not_applicable":
        return _("The gate %(question)s was marked as not applicable.") % {"question": question}
    if kind == "not_applicable_share":
        return _("More than a quarter of the weight was marked as not applicable.")
    return flag
