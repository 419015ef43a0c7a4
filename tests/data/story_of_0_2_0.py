"""How `events_of_0_2_0.json` was made: by Plumbline 0.2.0 itself, on SQLite, with

    manage.py migrate && manage.py load_questionnaires
    manage.py shell < story_of_0_2_0.py >events_of_0_2_0.json

It holds every event of two submissions: one is saved twice and submitted, the other is saved and deleted.
"""

import json

from accounts.models import Organisation, User
from answers.saving import Change, save_answers
from answers.submissions import delete_draft, start, submit
from eventbus.deliveries import drain_all
from eventbus.models import Event
from questionnaires import library

acme = Organisation.objects.create(name="Acme")
alice = User.objects.create_user("alice@example.org", name="Alice", organisation=acme)

final = start(alice, "quick-check")
values = {"yes_no": "yes", "nplf": "P"}
given = {q.id: q.choices[0].id if q.choices else values.get(q.kind) for q in library.current("quick-check").questions}
save_answers(final.pk, alice, [Change(question="QC-06", value="N", note="Grüße from Alice")])
drain_all()
save_answers(final.pk, alice, [Change(question=q, value=v) for q, v in given.items() if v and q != "QC-06"])
drain_all()
submit(final.pk, alice)
drain_all()

thrown_away = start(alice, "quick-check", name="Shop in town")
save_answers(thrown_away.pk, alice, [Change(question="QC-01", value="F")])
drain_all()
before = [event.payload for event in Event.objects.order_by("id")]  # deleting empties what it is about
delete_draft(thrown_away.pk, alice)
drain_all()

after = Event.objects.order_by("id")[len(before) :]
lines = [json.dumps(payload, ensure_ascii=False) for payload in (*before, *(event.payload for event in after))]
print("[\n " + ",\n ".join(lines) + "\n]")  # noqa: T201
