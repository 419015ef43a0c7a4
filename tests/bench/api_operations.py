"""The operations that the API is measured with, and the data they are asked about."""

from __future__ import annotations

import base64
from typing import Any

REPORTS = 20
"""Final reports of the person who asks: one page of them."""
SMALL = "{ me { name email } }"
LIST = """
query List {
  reports(first: 20) {
    position
    edges {
      cursor
      node {
        id title rating score scoreHigh state revision createdAt
        organisation { id name }
        questionnaire { slug version title }
        submission { id state revision createdBy { name } progress { answered visible text } }
      }
    }
    pageInfo { hasNextPage endCursor }
  }
}
"""
WHOLE = """
query Whole($id: ID!) {
  report(id: $id) {
    id title rating score scoreHigh state revision createdAt updatedAt
    organisation { name }
    answers { key text title label reason note value { choice choices number date text dontKnow notApplicable } }
    evaluation {
      engine complete answered visible headline verdict score scoreHigh rating ratingUncapped notApplicableShare
      cappedBy { key title }
      findOut { key title }
      domains { key title score scoreHigh tier }
      findings { severity points target asked { key title label } }
      plan { number wave effort points projectedScore projectedRating asked { key title } }
      comparison { delta answersEffect scopeEffect items { change points asked { key title } } previous { id score } }
    }
  }
}
"""
NEWEST = "query Newest($id: ID!) { reports(first: 1, submission: $id) { edges { node { id revision rating score } } } }"
"""What a client without subscriptions asks again and again."""
CHANGED = """
subscription Changed($after: String) {
  reportChanged(after: $after) { position kind submissionId report { id revision rating score } }
}
"""
POSITION = "{ reports(first: 1) { position } }"


def global_id(kind: str, key: str) -> str:
    """The API's id of an object."""
    return base64.urlsafe_b64encode(f"{kind}:{key}".encode()).decode().rstrip("=")


def key_of(identifier: str) -> str:
    """What the API's id stands for."""
    return base64.urlsafe_b64decode(identifier + "=" * (-len(identifier) % 4)).decode().partition(":")[2]


def too_large() -> dict[str, str]:
    """Operations that a server should refuse at once, by what they have too much of."""
    deep, wide = "id", "id"
    for _ in range(25):
        deep = f"organisation {{ reports(first: 1) {{ edges {{ node {{ {deep} }} }} }} }}"
    for _ in range(2):
        wide = f"organisation {{ reports(first: 100) {{ edges {{ node {{ {wide} }} }} }} }}"
    return {
        "80,000 tokens": f"{{ reports(rating: [{'A ' * 80_000}]) {{ position }} }}",
        "500 times the same field": f"{{ me {{ {'name ' * 500}}} }}",
        "100 levels": f"{{ reports(first: 1) {{ edges {{ node {{ {deep} }} }} }} }}",
        "lists of lists of lists": f"{{ reports(first: 100) {{ edges {{ node {{ {wide} }} }} }} }}",
    }


def most_steps() -> dict[str, tuple[str, dict[str, Any]]]:
    """Operations that take nearly all of the 20,000 steps that one may take, by what they spend them on."""
    places = " ".join(f"a{number}: reports(first: 1, rating: $of) {{ position }}" for number in range(100))
    rows = " ".join(f"a{number}: reports(first: 20) {{ edges {{ node {{ id }} }} }}" for number in range(80))
    return {
        "values that nothing uses": (SMALL, {"of": [1] * 19_990}),
        "values at a hundred places": (f"query ($of: [Rating!]) {{ {places} }}", {"of": ["A", "B"] * 95}),
        "rows": (f"{{ {rows} }}", {}),
    }


def make_reports(person: Any, count: int) -> str:
    """Hand in so many quick checks of the person, evaluated by the product itself; gives the last report's id."""
    from answers import saving, submissions
    from eventbus.deliveries import drain_all
    from reports.models import Report

    for number in range(count):
        draft = submissions.start(person, "quick-check")
        given = {f"QC-{place:02}": "NPLF"[(number + place) % 4] for place in range(1, 13)}
        given |= {"exposed": "no", "provider": "no"}
        changes = [saving.Change(question=key, value=value, note="As agreed.") for key, value in given.items()]
        saving.save_answers(draft.pk, person, changes)
        submissions.submit(draft.pk, person)
        drain_all()
    report = Report.objects.visible_to(person).finals().newest_first().first()
    assert report is not None
    return global_id("Report", str(report.pk))
