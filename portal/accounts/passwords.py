"""Passwords at rest: argon2id. Hashing takes 64 MiB and a fifth of a second, so only a few run at once."""

from __future__ import annotations

from functools import cache
from threading import BoundedSemaphore

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from portal.errors import Unavailable

# RFC 9106 section 4, second recommendation: 64 MiB, three passes, four lanes (the library's defaults).
_hasher = PasswordHasher()
_room = BoundedSemaphore(2)
_PATIENCE = 15.0  # seconds


def hashed(password: str) -> str:
    """The hash to store, with its salt and parameters. Unavailable when too many wait."""
    with _Turn():
        return _hasher.hash(password)


def matches(stored: str | None, password: str) -> bool:
    """Whether the password belongs to the hash. Takes as long for nobody's hash as for somebody's."""
    with _Turn():
        try:
            return _hasher.verify(stored or _nobody(), password) and stored is not None
        except (VerificationError, InvalidHashError):
            return False


def is_dated(stored: str) -> bool:
    """Whether the hash was made with weaker parameters than today's and should be made again."""
    return _hasher.check_needs_rehash(stored)


class _Turn:
    """One of the few places; waits for it."""

    def __enter__(self) -> None:
        if not _room.acquire(timeout=_PATIENCE):
            raise Unavailable

    def __exit__(self, *_: object) -> None:
        _room.release()


@cache
def _nobody() -> str:
    return _hasher.hash("nobody has this password")
