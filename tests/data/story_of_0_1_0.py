"""How `version_0_1_0.plumbline` was made: by Plumbline 0.1.0 (revision 0df5df1) itself, on SQLite, with

    manage.py migrate && manage.py load_questionnaires
    manage.py shell < story_of_0_1_0.py
    manage.py backup version_0_1_0.plumbline

It holds two organisations (Alice belongs to both, to Acme first), a submission with its final report, a draft with
notes, answers of several versions and a provisional report, and a save whose event nobody has handled yet.
"""

from accounts.models import Organisation, User
from answers.saving import Change, save_answers
from answers.submissions import start, submit
from eventbus.deliveries import drain_all
from questionnaires import library


def person(name: str, organisation: Organisation) -> User:
    return User.objects.create_user(f"{name.lower()}@example.org", name=name, organisation=organisation)


def change(question: str, value: str | None, note: str = "", base_version: int = 0) -> Change:
    return Change(question=question, value=value, note=note, base_version=base_version)


acme, globex = (Organisation.objects.create(name=name) for name in ("Acme", "Globex"))
alice, bob, charlie = person("Alice", acme), person("Bob", acme), person("Charlie", globex)
alice.join(globex)

final = start(alice, "quick-check")
values = {"yes_no": "yes", "nplf": "P"}
given = {q.id: q.choices[0].id if q.choices else values.get(q.kind) for q in library.current("quick-check").questions}
notes = {"QC-06": "As of May."}
save_answers(final.pk, alice, [change(key, value, notes.get(key, "")) for key, value in given.items() if value])
drain_all()
submit(final.pk, alice)
drain_all()

draft = start(bob, "quick-check")
save_answers(draft.pk, bob, [change("QC-01", "N"), change("QC-06", "N", "Grüße from Bob")])
save_answers(draft.pk, alice, [change("QC-01", "L", "Since June", base_version=1)])
save_answers(draft.pk, bob, [change("QC-07", None, "Only noted")])
drain_all()

waiting = start(charlie, "quick-check")
save_answers(waiting.pk, charlie, [change("QC-01", "F")])
