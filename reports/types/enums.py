"""The words of which a report takes one."""

from __future__ import annotations

from api.enums import described

ReportState = described(
    "ReportState",
    "Whether a report can still change.",
    {
        "PROVISIONAL": ("provisional", "Made from a draft: each newer revision of its answers replaces it."),
        "FINAL": ("final", "Made from what was submitted: it never changes."),
    },
)
Rating = described(
    "Rating",
    "The score in one letter, capped by failed gates.",
    {
        "A": ("A", "90 points or more, and no gate has failed."),
        "B": ("B", "75 points or more, and no gate has failed."),
        "C": ("C", "50 points or more, and no gate has failed."),
        "D": ("D", "25 points or more, or more points with one or two failed gates."),
        "E": ("E", "Fewer than 25 points, or three failed gates."),
    },
)
Severity = described(
    "Severity",
    "How bad a finding is, from the worst down.",
    {
        "CRITICAL": ("critical", "A gate has failed: without this protection, little else helps."),
        "HIGH": ("high", "Of high impact, and nothing is known to be in place."),
        "MEDIUM": ("medium", "Of high impact and begun, or of moderate impact."),
        "LOW": ("low", "Of low impact."),
    },
)
Wave = described(
    "Wave",
    "When to take up an action.",
    {
        "NOW": ("now", "Failed gates, and what brings most for little effort."),
        "NEXT": ("next", "Worth planning for the coming months."),
        "LATER": ("later", "Brings less for its effort."),
    },
)
Tier = described(
    "Tier",
    "How mature a domain is; named after the tiers of NIST CSF 2.0.",
    {
        "PARTIAL": ("Partial", "Fewer than 25 points."),
        "RISK_INFORMED": ("Risk Informed", "25 points or more."),
        "REPEATABLE": ("Repeatable", "50 points or more."),
        "ADAPTIVE": ("Adaptive", "85 points or more."),
    },
)
ItemChangeKind = described(
    "ItemChangeKind",
    "What became of a question since the earlier report.",
    {
        "RESOLVED": ("resolved", "It was below its target, and is not any more."),
        "IMPROVED": ("improved", "Its answer is worth more."),
        "REGRESSED": ("regressed", "Its answer is worth less."),
        "NEWLY_ASKED": ("newly_asked", "It counts now, and did not before."),
        "NO_LONGER_APPLICABLE": ("no_longer_applicable", "It counted before, and does not any more."),
    },
)
