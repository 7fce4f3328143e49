"""German and English. English sentences are the message ids; they are translated when they are shown, never before.

Sentences that are stored (why a delivery failed) are kept as message id and facts, so that each reader gets their own
language; ``say`` puts the two together.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from io import BytesIO
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations
from flask_babel import Babel, get_locale, ngettext
from flask_babel import gettext as _

from integrations.contract import N_

__all__ = ["LANGUAGES", "N_", "TRANSLATIONS", "Babel", "_", "language", "ngettext", "say", "translations"]

LANGUAGES = ("de", "en")
TRANSLATIONS = Path(__file__).parent / "translations"


def language() -> str:
    """The language of the present reader: "de" or "en" (English outside a request)."""
    locale = get_locale()
    spoken = str(locale.language) if locale is not None else "en"
    return spoken if spoken in LANGUAGES else "en"


@cache
def translations(spoken: str) -> NullTranslations:
    """All sentences in a language, for pages and for what is written without a request, as mail is.

    English is the source and needs none.
    """
    path = TRANSLATIONS / spoken / "LC_MESSAGES" / "messages.po"
    if not path.is_file():
        return NullTranslations()
    compiled = BytesIO()
    with path.open("rb") as file:
        write_mo(compiled, read_po(file, locale=spoken))
    compiled.seek(0)
    return Translations(compiled)


def say(text: str | None, facts: Mapping[str, object] | None = None) -> str:
    """A stored sentence in the reader's language; facts that are missing do not break the page."""
    if not text:
        return ""
    translated: str = _(text)
    try:
        return translated % {name: _spoken(value) for name, value in facts.items()} if facts else translated
    except (KeyError, ValueError, TypeError):
        return translated


def _spoken(value: object) -> object:
    """A list of facts is a list of message ids: field names and the like."""
    return ", ".join(_(str(one)) for one in value) if isinstance(value, list) else value
