"""The one way in which tests and benches lift the limits of a server that they start: in its environment, as an
operator would."""

from __future__ import annotations

WITHOUT_BUCKETS = {
    f"LIMIT_{name}": "off"
    for name in ("SAVES_PERSON", "SAVES_ORGANISATION", "SUBMITS_PERSON", "STARTS_PERSON", "API_COST_PERSON")
}
"""For a server of which few people ask as much as many would."""

FOR_CAPACITY = {**WITHOUT_BUCKETS, "LIVE_MERGE_SECONDS": "0"}
"""For one that is measured: one listener hears of all, and would measure the merging."""
