"""How passwords are stored: by argon2id, and by PBKDF2 as long as a process runs that can't read argon2id.

An older hash is replaced when its owner signs in. Both kinds then exist for a long time, and they take different times
to check; so a wrong password costs the work of both, and so does an address that nobody has. Otherwise the time would
tell which address belongs to somebody who has not been here since the upgrade.
"""

from __future__ import annotations

from django.contrib.auth.hashers import Argon2PasswordHasher, get_hasher, get_hashers, identify_hasher, make_password

from contracts import rolling

SINCE = "0.3.0"
"""The first version that reads argon2id."""
BEFORE = "pbkdf2_sha256"


class Argon2id(Argon2PasswordHasher):
    """Argon2id with 19 MiB, two passes and one thread.

    The second of the equally strong settings in OWASP's Password Storage Cheat Sheet. The second recommended option of
    RFC 9106, section 4, takes 64 MiB and four threads: with eight sign-ins at once that is half a gibibyte, on machines
    that have one for everything. Here the same eight take 152 MiB, and a check some 30 ms.
    """

    memory_cost = 19 * 1024
    """Kibibytes."""
    time_cost = 2
    parallelism = 1


def written() -> str:
    """The name of the hasher that new hashes are made with."""
    preferred = str(get_hasher("default").algorithm)
    others = {hasher.algorithm for hasher in get_hashers()}
    return BEFORE if BEFORE in others and not rolling.all_read(SINCE) else preferred


def make(password: str | None) -> str:
    """The hash of a new password, in a form that each process reads; an unusable one for None."""
    return make_password(password, hasher=written())


def is_outdated(encoded: str) -> bool:
    """Whether a hash, whose password is known at this moment, is to be renewed. Never back to the form before."""
    wanted, found = get_hasher(written()), identify_hasher(encoded)
    if wanted.algorithm == found.algorithm:
        return wanted.must_update(encoded)
    return wanted.algorithm != BEFORE


def even_out(password: str, checked: str | None) -> None:
    """After a wrong password: do the work of the hashers that its check did not need. `checked` is the hash it was
    compared with; None where there was none, and so no check."""
    done = None if checked is None else _worked(checked)
    for hasher in get_hashers():
        if hasher.algorithm != done:
            hasher.encode(password, hasher.salt())


def _worked(checked: str) -> str:
    """The hasher whose work Django did for a hash: for one that is unusable or unknown, the preferred one's."""
    try:
        return str(identify_hasher(checked).algorithm)
    except ValueError:
        return str(get_hasher("default").algorithm)
