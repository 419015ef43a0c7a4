"""The list of what was erased, as a file of its own: kept apart from backups, it says which of their rows must not come
back where the database that knew it is lost."""

from __future__ import annotations

import json
import os
from pathlib import Path
from uuid import UUID

from accounts.models import Erased
from operations.archive.file import Unusable


def lines() -> list[str]:
    """An id a line, the oldest first."""
    found = Erased.objects.order_by("at", "pk").values_list("kind", "pk")
    return [json.dumps({"kind": kind, "id": str(pk)}) for kind, pk in found]


def write(path: Path) -> int:
    """Write the list to a new file that its owner alone can read; gives how many ids. Raises Unusable."""
    found = lines()
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.writelines(f"{line}\n" for line in found)
            file.flush()
            os.fsync(file.fileno())
    except FileExistsError:
        raise Unusable(f"{path} exists already, and is not overwritten. Choose another name") from None
    except OSError as error:
        raise Unusable(f"{path} can't be written ({error.strerror}). Choose another place") from None
    return len(found)


def read(path: Path) -> list[Erased]:
    """What a file of `write` lists; raises Unusable where it is none."""
    try:
        return [_read(line) for line in path.read_text().splitlines()]
    except OSError as error:
        raise Unusable(f"{path} can't be read ({error.strerror})") from None
    except (ValueError, KeyError, TypeError):
        raise Unusable(f"{path} is no list that manage.py erased wrote, or not a whole one") from None


def _read(line: str) -> Erased:
    document = json.loads(line)
    return Erased(pk=UUID(document["id"]), kind=Erased.Kind(document["kind"]))


def learn(listed: list[Erased]) -> None:
    """Remember these too."""
    Erased.objects.bulk_create(listed, ignore_conflicts=True)
