"""What people type about themselves: e-mail addresses, names, passwords. Checked in one place."""

from __future__ import annotations

import re

from portal.errors import Invalid
from portal.i18n import N_

# Deliberately loose (RFC 5321 allows nearly anything); the invitation proves the rest.
_EMAIL = re.compile(r"[^@\s\"<>(),;:\\]+@[^@\s\"<>(),;:\\]+\.[^@\s\"<>(),;:\\.]{2,}")
SHORTEST = 10
_EASY = ("password", "passwort", "kontor", "qwertz", "qwerty", "geheim")
LONGEST = 200


def email_address(text: str, field: str = "email") -> str:
    """The address in the form it is stored: trimmed, lower case. Raises Invalid."""
    cleaned = text.strip().lower()
    if len(cleaned) > 254 or not _EMAIL.fullmatch(cleaned):
        raise Invalid(N_("“%(email)s” is not an e-mail address."), field=field, email=cleaned[:80])
    return cleaned


def name(text: str, field: str = "name", limit: int = 120) -> str:
    """A name in one line with single blanks. Raises Invalid when nothing is left or it is too long."""
    cleaned = " ".join(text.split())
    if not cleaned:
        raise Invalid(N_("Please enter a name."), field=field)
    if len(cleaned) > limit or not cleaned.isprintable():
        raise Invalid(N_("This name is too long, or has characters that are none."), field=field)
    return cleaned


def password(text: str, *about: str, field: str = "password") -> str:
    """The password as it was typed, if it is good enough; ``about`` are words it must not consist of.

    Length counts, not kinds of characters (NIST SP 800-63B section 3.1.1.2). Raises Invalid.
    """
    if len(text) < SHORTEST:
        raise Invalid(N_("A password has at least %(least)s characters."), field=field, least=SHORTEST)
    if len(text) > LONGEST:
        raise Invalid(N_("A password has at most %(most)s characters."), field=field, most=LONGEST)
    if len(set(text)) < 5 or _consists_of(text, *about, *_EASY):
        raise Invalid(N_("This password is too easy to guess."), field=field)
    return text


def _consists_of(password: str, *about: str) -> bool:
    """Whether hardly anything is left of the password's letters without these words."""
    letters = rest = re.sub(r"[\W\d_]+", "", password).lower()
    words = {part for word in about for part in re.split(r"[\W\d_]+", word.lower()) if len(part) > 2}
    for word in sorted(words, key=len, reverse=True):
        rest = rest.replace(word, "")
    return bool(letters) and len(rest) < 3
