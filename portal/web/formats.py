"""How values look on pages: dates, times in the firm's zone, amounts, sizes. Jinja filters; never used for storing."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_datetime, format_timedelta
from babel.numbers import format_decimal
from flask import Flask

from portal import clock
from portal.i18n import _, say
from portal.money import Money, display
from portal.web import spoken, zone

# The same values stand on page after page, and writing one by locale rules takes longer than looking it up.
_KEPT = 20_000


def day(value: date | None) -> str:
    """An accounting date: 24.11.2026 or 24 Nov 2026; a dash for none."""
    return "–" if value is None else _day(value, spoken())


@lru_cache(_KEPT)
def _day(value: date, locale: str) -> str:
    if locale == "de":
        return format_date(value, "dd.MM.yyyy", locale="de")
    return format_date(value, "d MMM yyyy", locale="en_GB")


def moment(value: datetime | None) -> str:
    """An instant in the firm's zone, with date and minutes."""
    if value is None:
        return "–"
    local = value.astimezone(ZoneInfo(zone()))
    return f"{day(local.date())}, {local:%H:%M}"


def exact(value: datetime | None) -> str:
    """An instant with seconds and zone, for titles."""
    return "" if value is None else _exact(value, zone(), spoken())


@lru_cache(_KEPT)
def _exact(value: datetime, zone: str, locale: str) -> str:
    pattern = "dd.MM.yyyy HH:mm:ss zzz" if locale == "de" else "d MMM yyyy HH:mm:ss zzz"
    return format_datetime(value, pattern, tzinfo=ZoneInfo(zone), locale=locale)


def short(value: datetime | None) -> str:
    """As little as is clear: the time today, else the date."""
    if value is None:
        return "–"
    local = value.astimezone(ZoneInfo(zone()))
    if local.date() == clock.local_date(clock.now(), zone()):
        return f"{local:%H:%M}"
    return day(local.date())


def ago(value: datetime | None) -> str:
    """How long ago: "3 minutes ago"; "in 3 hours" for what is to come."""
    if value is None:
        return str(_("never"))
    distance = value - clock.now()
    if abs(distance.total_seconds()) < 45:
        return str(_("just now"))
    return format_timedelta(distance, add_direction=True, locale=spoken())


def duration(value: timedelta) -> str:
    """How long something is: "3 hours"."""
    return format_timedelta(value, locale=spoken())


def amount(minor: int | None, currency: str | None = None, symbol: bool = True) -> str:
    """Minor units as money: 1.234,50 € ; a dash for an unknown amount, never a zero."""
    if minor is None or currency is None:
        return "–"
    return _amount(minor, currency, spoken(), symbol)


@lru_cache(_KEPT)
def _amount(minor: int, currency: str, locale: str, symbol: bool) -> str:
    return display(Money(minor, currency), locale, symbol=symbol)


def number(value: int) -> str:
    """A count with the reader's thousands separator."""
    return format_decimal(value, locale=spoken())


def size(count: int) -> str:
    """Bytes as people read them; decimal units, as the limits are."""
    value, unit = float(count), "B"
    for bigger in ("kB", "MB", "GB", "TB"):
        if value < 1000:
            break
        value, unit = value / 1000, bigger
    digits = "0" if unit == "B" or value >= 100 else "0.0"
    return f"{format_decimal(value, format=digits, locale=spoken())}\u00a0{unit}"


def initials(name: str) -> str:
    """Two letters for a round picture."""
    words = [word for word in name.split() if word[:1].isalnum()]
    return "".join(word[0] for word in (words[:1] + words[-1:] if len(words) > 1 else words)).upper()


def browser(agent: str) -> str:
    """A browser and system as people call them, from a User-Agent; good enough to recognise one's own."""
    names = {"Edg/": "Edge", "OPR/": "Opera", "Firefox/": "Firefox", "Chrome/": "Chrome", "Safari/": "Safari"}
    systems = {"iPhone": "iPhone", "iPad": "iPad", "Android": "Android", "Windows": "Windows", "Mac OS": "macOS",
               "Linux": "Linux"}  # fmt: skip
    found = [next((name for mark, name in table.items() if mark in agent), "") for table in (names, systems)]
    return " · ".join(filter(None, found)) or agent[:40] or "–"


def register(app: Flask) -> None:
    """Make the filters known to templates."""
    for each in (day, moment, exact, short, ago, duration, amount, number, size, initials, browser):
        app.jinja_env.filters[each.__name__] = each
    app.jinja_env.globals["say"] = say
