"""What the e-mail says: what happened to which login, what waits, what to do. Pure: values in, subject and text out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from babel.dates import format_datetime

from portal.i18n import translations
from portal.mail import one_line
from portal.notices.models import NoticeKind


@dataclass(frozen=True, kw_only=True)
class Facts:
    """All that a letter needs. Names are data: they come without line breaks, whatever they hold."""

    kind: NoticeKind
    language: str
    person: str
    firm: str
    client: str
    connection: str
    provider: str
    held: int  # documents that wait for the login
    ends_at: datetime | None
    zone: str  # IANA, of the firm
    link: str | None  # to where one reconnects


def written(facts: Facts) -> tuple[str, str]:
    """Subject and text in the reader's language."""
    names = {
        name: one_line(getattr(facts, name)) for name in ("person", "firm", "client", "connection", "provider")
    } | {"when": _moment(facts), "link": facts.link or ""}
    subject, sentences = (_dead if facts.kind is NoticeKind.DEAD else _ending)(facts)
    sentences = [*sentences, *_ends(facts)]
    return subject % names, "\n\n".join(sentence % names for sentence in sentences) + "\n"


def _dead(facts: Facts) -> tuple[str, list[str]]:
    speech = translations(facts.language)
    waiting = speech.ngettext(
        "One document waits for it and is held.", "%(num)s documents wait for it and are held.", facts.held
    ).replace("%(num)s", str(facts.held))
    return speech.gettext("%(client)s: please reconnect %(provider)s"), [
        speech.gettext("Hello %(person)s,"),
        speech.gettext("%(provider)s no longer accepts the login “%(connection)s” of %(client)s."),
        (waiting if facts.held else speech.gettext("No document waits for it yet; what arrives from now on is held."))
        + " "
        + speech.gettext("Nothing is lost: as soon as somebody reconnects, it goes on by itself."),
    ]


def _ending(facts: Facts) -> tuple[str, list[str]]:
    speech = translations(facts.language)
    return speech.gettext("%(client)s: the login at %(provider)s ends soon"), [
        speech.gettext("Hello %(person)s,"),
        speech.gettext("the login “%(connection)s” of %(client)s at %(provider)s ends on %(when)s."),
        speech.gettext("Please reconnect before, so that nothing stops. After that, documents are held until somebody "
                       "does."),
    ]  # fmt: skip


def _ends(facts: Facts) -> list[str]:
    speech = translations(facts.language)
    there = (
        speech.gettext("You reconnect here:") + "\n%(link)s"
        if facts.link
        else speech.gettext("Sign in to Kontor, open the client %(client)s, then Integrations, and reconnect there.")
    )
    return [there, speech.gettext("Kontor, the portal of %(firm)s. It tells you this once.")]


def _moment(facts: Facts) -> str:
    if facts.ends_at is None:
        return ""
    german = facts.language == "de"
    pattern = "dd.MM.yyyy, HH:mm" if german else "d MMM yyyy, HH:mm"
    return format_datetime(facts.ends_at, pattern, tzinfo=ZoneInfo(facts.zone), locale="de" if german else "en_GB")
