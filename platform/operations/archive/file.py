"""The file: a ZIP with one JSON-lines entry per table, and a manifest that says what has to be in it."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

FORMAT = 1
MANIFEST = "manifest.json"
SECRET_KEY = "secret_key"  # noqa: S105  (an entry's name)
MAX_LINE = 64 * 1024 * 1024
"""Bytes of one row; a longer line is no row of ours."""
MAX_MANIFEST = 1024 * 1024
_PART = re.compile(r".+\.part-\d+")
_BEGINS_A_ZIP = b"PK\x03\x04"


class Unusable(RuntimeError):
    """The file can't be used; the message says why and what to do."""


class Table(BaseModel):
    """What the archive holds of one table."""

    model_config = ConfigDict(extra="forbid", strict=True)

    columns: list[str]
    rows: Annotated[int, Field(ge=0)]
    sha256: str
    """Of the entry's bytes before they are compressed."""


class Manifest(BaseModel):
    """What has to be in the file."""

    model_config = ConfigDict(extra="forbid", strict=True)

    format: Literal[1]
    product: str
    made_at: str
    database: str
    """Where it came from, "sqlite" or "postgresql": for information."""
    migrations: dict[str, list[str]]
    tables: dict[str, Table]
    has_secret_key: bool = False


def entry_of(table: str) -> str:
    return f"tables/{table}.jsonl"


class Writer:
    """Writes the entries of an archive, one after the other."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive

    def table(self, name: str, columns: list[str], rows: Iterator[list[Any]]) -> Table:
        """Write all rows of a table."""
        digest, count = hashlib.sha256(), 0
        with self._archive.open(entry_of(name), "w", force_zip64=True) as entry:
            for row in rows:
                line = _line(row)
                digest.update(line)
                entry.write(line)
                count += 1
        return Table(columns=columns, rows=count, sha256=digest.hexdigest())

    def text(self, name: str, text: str) -> None:
        self._archive.writestr(name, text)


def _line(row: list[Any]) -> bytes:
    """One spelling of a row, whichever database it came from: PostgreSQL forgets the order of an object's keys."""
    return json.dumps(row, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode() + b"\n"


@contextmanager
def written(path: Path) -> Iterator[Writer]:
    """Make an archive that appears under its name only when it is whole and on the disk, for its owner's eyes only.

    Raises Unusable where there is a file of that name already, or none can be written.
    """
    if path.exists():
        raise Unusable(f"{path} exists already, and a backup never overwrites one. Choose another name")
    part = path.with_name(f"{path.name}.part-{os.getpid()}")
    try:
        descriptor = os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise Unusable(f"{path} can't be written ({error.strerror}). Choose a folder in which you may write") from None
    try:
        with os.fdopen(descriptor, "w+b") as file:
            with suppress(OSError):  # a file system without locks
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
                yield Writer(archive)
            file.flush()
            os.fsync(file.fileno())
        _give_name(part, path)
    except OSError as error:
        raise Unusable(f"{path} can't be written ({error.strerror}). Make room, or choose another place") from None
    finally:
        part.unlink(missing_ok=True)


def left_behind(folder: Path) -> list[Path]:
    """What backups that were killed have left in the folder: parts that nobody is writing."""
    return sorted(path for path in folder.iterdir() if _PART.fullmatch(path.name) and _is_abandoned(path))


def _is_abandoned(part: Path) -> bool:
    try:
        with part.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            return file.read(len(_BEGINS_A_ZIP)) in (b"", _BEGINS_A_ZIP)
    except OSError:  # somebody writes it, or it is not ours to read
        return False


def _give_name(part: Path, path: Path) -> None:
    """Raises OSError where something has that name."""
    try:
        os.link(part, path)  # unlike a rename it never overwrites
    except FileExistsError:
        raise
    except OSError:  # a file system without such links
        if path.exists():
            raise
        part.rename(path)
    descriptor = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class Reader:
    """Reads an archive that is whole: its manifest is understood, and every entry that it names is there."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self.manifest = self._read_manifest()
        wanted = {entry_of(table) for table in self.manifest.tables}
        if missing := wanted - set(archive.namelist()):
            raise Unusable(f"{min(missing)} is missing from it. {DAMAGED}")

    def _read_manifest(self) -> Manifest:
        if MANIFEST not in self._archive.namelist():
            raise Unusable("it is no backup of Plumbline: it has no manifest")
        with self._archive.open(MANIFEST) as entry:
            document = json.loads(entry.read(MAX_MANIFEST))
        if isinstance(document, Mapping) and document.get("format") != FORMAT:
            raise Unusable(
                f"it is of format {document.get('format')}, and this Plumbline reads format {FORMAT}. "
                f"Use the version that made it: {document.get('product')}"
            )
        return Manifest.model_validate(document)

    def rows(self, table: str) -> Iterator[list[Any]]:
        """The rows of a table; raises Unusable at the end where they are not what the manifest says."""
        expected, digest, count = self.manifest.tables[table], hashlib.sha256(), 0
        with self._archive.open(entry_of(table)) as entry:
            for line in _lines(entry):
                digest.update(line)
                count += 1
                row = json.loads(line)
                if not isinstance(row, list) or len(row) != len(expected.columns):
                    raise Unusable(f"table {table}, line {count}: this is no row of it. {DAMAGED}")
                yield row
        if (count, digest.hexdigest()) != (expected.rows, expected.sha256):
            raise Unusable(
                f"table {table} is not what was backed up: its checksum or its number of rows differs. {DAMAGED}"
            )

    def secret_key(self) -> str | None:
        """The key that signs sessions, where it was asked for when the archive was made."""
        return self._archive.read(SECRET_KEY).decode() if self.manifest.has_secret_key else None


DAMAGED = "Take another copy of the backup; this one is damaged"


def _lines(entry: IO[bytes]) -> Iterator[bytes]:
    while line := entry.readline(MAX_LINE):
        yield line


@contextmanager
def opened(path: Path) -> Iterator[Reader]:
    """Open an archive; raises Unusable, also from inside the block, for one that is missing, damaged or not ours."""
    try:
        with zipfile.ZipFile(path) as archive:
            yield Reader(archive)
    except Unusable as problem:
        raise Unusable(f"{path}: {problem}") from None
    except FileNotFoundError:
        raise Unusable(f"{path}: there is no such file") from None
    except IsADirectoryError:
        raise Unusable(f"{path} is a folder; name the file in it") from None
    except PermissionError:
        raise Unusable(f"{path} may not be read by this user") from None
    except (zipfile.BadZipFile, zlib.error, EOFError, ValidationError, UnicodeDecodeError, json.JSONDecodeError):
        raise Unusable(f"{path} is no backup of Plumbline, or not a whole one. {DAMAGED}") from None
