"""Dates as people write them in German and English, and which of them is the invoice's and when it is due."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from portal.reading.fields.labels import Roles, Said, Seen, Sheet, Where
from portal.reading.fields.ranking import Choice, Ranked, best
from portal.reading.findings import Source
from portal.reading.words import Cell, Page, squeeze

_MONTHS = (
    ("januar", "january", "janvier", "januari", "janner", "jan"),
    ("februar", "february", "fevrier", "februari", "feb", "fev"),
    ("marz", "maerz", "march", "mars", "maart", "mar", "mrz", "mae"), ("april", "avril", "apr", "avr"),
    ("mai", "may", "mei"), ("juni", "june", "juin", "jun"), ("juli", "july", "juillet", "jul"),
    ("august", "aout", "augustus", "aug"), ("september", "septembre", "sept", "sep"),
    ("oktober", "october", "octobre", "okt", "oct"), ("november", "novembre", "nov"),
    ("dezember", "december", "decembre", "dez", "dec"),
)  # fmt: skip
_BY_NAME = {name: number for number, names in enumerate(_MONTHS, 1) for name in names}
_NAME = r"[A-Za-zÄÖÜäöüéûèô]{3,10}"
_FORMS = (
    ("ymd", re.compile(r"(?<![\d.,/])((?:19|20)\d\d)\s?([-./])\s?([01]?\d)\s?\2\s?([0-3]?\d)(?!\d|[./-]\d)")),
    ("dmy", re.compile(r"(?<![\d.,/])([0-3]?\d)\s?([-./'])\s?([01]?\d|[0-3]\d)\s?[-./']\s?(20\d\d(?=\d{1,2}:\d\d)"
r"|(?:(?:19|20)\d\d|\d\d)(?!\d|/\d|[.,]\d(?!\d:)|-\d(?!\d[:.])))")),
    ("named", re.compile(rf"(?<![\d.,])([0-3]?\d)(?:st|nd|rd"
rf"|th)?[\s.\-/]{{0,3}}({_NAME})[\s.,\-/']{{0,3}}(20\d\d(?=\d{{1,2}}:\d\d)|(?:(?:19|20)\d\d"
rf"|\d\d)(?!\d))")),
    ("leading", re.compile(rf"(?<![A-Za-z])({_NAME})[\s.]{{1,2}}([0-3]?\d)(?:st|nd|rd|th)?\s?,?\s{{0,2}}((?:19"
rf"|20)\d\d)(?!\d)")),
    ("compact", re.compile(r"(?<![\dA-Za-z.,/-])(20[0-4]\d)(0[1-9]|1[0-2])([0-2]\d|3[01])(?![\dA-Za-z])")),
)  # fmt: skip
_TIME = re.compile(r"\b[0-2]?\d[:.][0-5]\d(?::[0-5]\d)?\b")
_EARLIEST, _LATEST = date(1990, 1, 1), date(2060, 12, 31)

_ROLES = Roles(
    [
        (
            "other",
            1.0,
            (
                r"(liefer|leistungs|bestell|auftrags?|order|delivery|shipping|service|versand|ship|po"
                r"|buchungs|druck|geburts|valuta"
                r"|lieferschein|vertrags|contract|training|start|end|begin|check(in|out)?|eintritts?"
                r"|print(ed)?|expiry|valid)(und(rechnungs|leistungs)?)?(datum|date|tag|am)"
            ),
        ),
        (
            "other",
            0.9,
            (
                r"zeitraum|period|skonto|leistungsdatum|liefer(und|oder|bzw)leistungsdatum|lieferungam"
                r"|geliefertam|bestellungvom|bestellung\w{0,20}vom"
                r"|gemass\w{0,30}vom|version\w{0,10}vom|lieferung\w{0,24}vom|auftrag\w{0,20}vom"
                r"|(abz(u?gl|uglich)|less|minus|zur?)\d?(abschlags?|teil|anzahlungs?)?(rechnung|invoice)"
                r"[a-z0-9]{0,24}?(vom|dated|of)"
                r"|lieferscheinvom|angebot\w{0,16}vom|discount|stand\d*$|gultig|ausgegeben|permit"
            ),
        ),
        (
            "due",
            1.0,
            (
                r"fallig(keit)?(s?datum|stag|am|keitstag|zum)?|faellig\w{0,8}?(am|datum)?|duedate"
                r"|paymentdue(date|by)?|datedue|dueon|dueby|payableby|paybefore|payby|zahlbarbis(zum)?"
                r"|zahlungsziel|zahlbar\w{0,40}?bis(zum|spatestens)?|zahlungbis(zum)?|zahlungstermin"
                r"|zahltermin|vervaldatum|dateecheance|datedecheance|echeance|echeancele"
                r"|uberweisen\w{0,40}?bis(zum|spatestens(zum)?)?"
                r"|zahlensie\w{0,30}?bis(zum|spatestens(zum)?)?|begleichen\w{0,30}?bis(zum)?|spatestens(bis)?(zum)?|nolaterthan|(remit|pay"
                r"|paid)\w{0,30}?(until|by|before)|betrag\w{0,60}?wird(am|zum)|(abbuchung|einzug"
                r"|lastschrift"
                r"|bankeinzug)(erfolgt)?(am|zum)|buchenwir\w{0,40}?(am|zum)|zahlungsfrist|nettobis(zum)?"
                r"|ohneabzugbis(zum)?|eingehendbis|betrag\w{0,40}?biszum|due(?=$)"
            ),
        ),
        (
            "issue",
            1.0,
            (
                r"(rechnungs|rechn|rech|rg|beleg|bon|gutschrifts?|faktur(a|en)?|ausstellungs|ausstell"
                r"|invoice|inv|billing|bill|receipt|document|doc|credit(note|memo)?|tax(invoice)?|issue"
                r"|transaction|trans|trx|sales?|factuur|facture?)"
                r"s?(datum|date|dt|tag)|date(of)?(de)?(la)?(invoice|issue|bill|receipt|facture|supply"
                r"|emission)|datumder(rechnung|factuur)|dateofissue|dateissued|issued?(on|at)|issued"
                r"|ausgestelltam|factuurdatum|datefacture|datumtijd|datum(uhr)?zeit|datetime"
                r"|rechnungsstellung"
            ),
        ),
        (
            "issue",
            0.85,
            r"(rechnung|gutschrift|korrektur|invoice|facture|storno)#?[a-z0-9]{0,24}?(vom|von|du|dated|am)",
        ),
        ("issue", 0.7, r"datum|date|dated|tarikh|(rechnung|gutschrift|invoice)(?=$)"),
        ("issue", 0.45, r"(?<![a-z])(den|vom|dt)(?=$)"),
    ]
)
_DAYS = re.compile(r"(\d{1,3})\s*(?:Tage?n?|days?|jours|dagen)", re.IGNORECASE)


@dataclass(frozen=True)
class _Read:
    """A date and, when day and month may be exchanged, the other way to read it."""

    day: date
    swapped: date | None = None


def choose(pages: Sequence[Page], number: Choice[str] | None = None) -> tuple[Choice[date] | None, Choice[date] | None]:
    """The date of issue and the due date; the first stands often beside the number."""
    seen = [one for page in pages for cell in page.cells for one in _dates(cell)]
    ordered = _in_order(seen, pages)
    sheet = Sheet(pages, ordered, apart=True)
    said = [sheet.roles(one, _ROLES) for one in sheet.seen]
    issue = best(
        [
            _issue(one, what, sheet, place, number)
            for place, (one, what) in enumerate(zip(sheet.seen, said, strict=True))
        ]
    )
    due = best([_due(one, what, issue, pages) for one, what in zip(sheet.seen, said, strict=True)])
    return issue, due


def _dates(cell: Cell) -> Iterator[Seen[_Read]]:
    taken: list[tuple[int, int]] = []
    for form, pattern in _FORMS:
        for match in pattern.finditer(cell.text):
            read = _read(form, match)
            if read and not any(start < match.end() and match.start() < end for start, end in taken):
                taken.append(match.span())
                yield Seen(read, cell, *match.span())


def _read(form: str, match: re.Match[str]) -> _Read | None:
    if form == "ymd":
        return _whole(_day(match[1], match[3], match[4]))
    if form == "compact":
        return _whole(_day(match[1], match[2], match[3]))
    if form == "named":
        return _whole(_day(match[3], _month(match[2]), match[1]))
    if form == "leading":
        return _whole(_day(match[3], _month(match[1]), match[2]))
    usual, other = _day(match[4], match[3], match[1]), _day(match[4], match[1], match[3])
    if "." in match.group() and usual is None:  # with points nobody puts the month first
        return None
    if usual is None:
        return _Read(other, None) if other else None
    return _Read(usual, other if "." not in match.group() and other != usual else None)


def _whole(day: date | None) -> _Read | None:
    return _Read(day) if day else None


def _month(name: str) -> int:
    return _BY_NAME.get(squeeze(name), 0)


def _day(year: str | int, month: str | int, day: str | int) -> date | None:
    number = int(year)
    number += 0 if number > 99 else 2000 if number < 70 else 1900
    try:
        found = date(number, int(month), int(day))
    except ValueError:
        return None
    return found if _EARLIEST <= found <= _LATEST else None


def _in_order(seen: Sequence[Seen[_Read]], pages: Sequence[Page]) -> list[Seen[date]]:
    """Dates read day first, or month first on a paper that writes so."""
    american = _writes_month_first(seen, pages)
    return [
        Seen(one.value.swapped if american and one.value.swapped else one.value.day, one.cell, one.start, one.end)
        for one in seen
    ]


def _writes_month_first(seen: Sequence[Seen[_Read]], pages: Sequence[Page]) -> bool:
    """Some date can only be read so; or dollars, a state and ZIP code, and no date that can only be read day first."""
    plain = [one for one in seen if re.fullmatch(r"[0-3]?\d\s?[-/]\s?[0-3]?\d\s?[-/]\s?\d+", one.printed)]
    month_first = sum(int(re.split(r"[-/]", one.printed)[1]) > 12 for one in plain)
    day_first = sum(int(re.split(r"[-/]", one.printed)[0]) > 12 for one in plain)
    if month_first or day_first:
        return month_first > day_first
    text = "\n".join(page.text for page in pages)
    return "$" in text and bool(re.search(r"\b[A-Z]{2},?\s+\d{5}(-\d{4})?\b", text))


def _issue(
    one: Seen[date], said: Mapping[str, Said], sheet: Sheet[date], place: int, number: Choice[str] | None
) -> Ranked[date]:
    mine = said.get("issue")
    against = max((other.strength for role, other in said.items() if role != "issue"), default=0.0)
    score = 3.0 * (mine.strength if mine else 0.0) - 3.0 * against
    score += 0.4 if mine and mine.where in {Where.INLINE, Where.LEFT} else 0.0
    page = sheet.pages[one.cell.page - sheet.pages[0].number]
    score += 0.8 * (1 - (one.cell.place.top - page.extent.top) / max(page.extent.bottom - page.extent.top, 1))
    score += 0.5 if place == 0 else 0.0
    score -= 0.5 * (one.cell.page - sheet.pages[0].number)
    score += 0.4 * min(sum(other.value == one.value for other in sheet.seen) - 1, 2)
    row = " ".join(cell.text for cell in page.rows[one.cell.row])
    score += 0.9 if _TIME.search(row.replace(one.printed, " ")) and page.source is Source.OCR else 0.0
    score += 0.8 if _beside(one, number) else 0.0
    score -= 0.8 if len(one.printed) < 7 else 0.0
    return Ranked(one, score)


def _beside(one: Seen[date], number: Choice[str] | None) -> bool:
    """Whether the number stands right before it in its cell: «Rechnung 17 vom 3. Mai 2024»."""
    return (
        number is not None
        and number.page == one.cell.page
        and number.value in one.cell.text[: one.start][-len(number.value) - 8 :]
    )


def _due(one: Seen[date], said: Mapping[str, Said], issue: Choice[date] | None, pages: Sequence[Page]) -> Ranked[date]:
    mine = said.get("due")
    if mine is None:
        return Ranked(one, -9.0)
    against = max((other.strength for role, other in said.items() if role != "due"), default=0.0)
    score = 3.0 * mine.strength - 2.0 * against
    if issue:
        score += 0.3 if one.value >= issue.value else -1.5
        terms = {int(match[1]) for page in pages for match in _DAYS.finditer(page.text)}
        score += 1.0 if any(one.value == issue.value + timedelta(days=days) for days in terms) else 0.0
    return Ranked(one, score)
