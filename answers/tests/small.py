"""A small questionnaire of this app's own, with every kind of question."""

from __future__ import annotations

from typing import Any

DEFINITION: dict[str, Any] = {
    "format": "plumbline/1",
    "slug": "small",
    "version": "1.0",
    "title": "Small check",
    "summary": "A few questions.",
    "minutes": 9,
    "domains": [{"id": "PR", "title": "Protect"}],
    "sections": [
        {
            "id": "about",
            "title": "About you",
            "questions": [
                {"id": "exposed", "text": "Reachable from outside?", "kind": "yes_no", "scored": False},
                {
                    "id": "vpn",
                    "text": "Which ways in?",
                    "kind": "multiple_choice",
                    "scored": False,
                    "required": False,
                    "choices": [{"id": "vpn", "text": "VPN"}, {"id": "rdp", "text": "Remote desktop"}],
                    "when": {"question": "exposed", "is": ["yes", "dont_know"]},
                },
                {"id": "site", "text": "Website", "kind": "text", "scored": False, "required": False},
                {"id": "people", "text": "How many people?", "kind": "number", "scored": False, "required": False},
                {"id": "since", "text": "Since when?", "kind": "date", "scored": False, "required": False},
            ],
        },
        {
            "id": "controls",
            "title": "Controls",
            "questions": [
                {"id": "mfa", "text": "Is there MFA?", "domain": "PR", "why": "Passwords leak."},
                {"id": "backup", "text": "Are there backups?", "domain": "PR"},
                {
                    "id": "wall",
                    "text": "Is there a firewall?",
                    "domain": "PR",
                    "when": {"question": "exposed", "is": ["yes", "dont_know"]},
                },
                {
                    "id": "plan",
                    "text": "Which plan?",
                    "kind": "single_choice",
                    "domain": "PR",
                    "choices": [{"id": "none", "text": "None", "value": 0}, {"id": "full", "text": "All", "value": 1}],
                },
            ],
        },
    ],
}
