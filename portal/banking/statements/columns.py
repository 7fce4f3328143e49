"""Which column of a CSV file means what: proposed from headings and contents, confirmed by a person, then kept.

Banks' exports differ in everything: delimiter, encoding, decimal mark, order of dates, headings in any language. The
proposal knows the usual headings and looks at the values; Qonto's export needs no confirmation.
"""

from __future__ import annotations

import csv
import hashlib
import io
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from itertools import pairwise

from portal.banking.statements import cells
from portal.banking.statements.values import Unreadable, one_line
from portal.i18n import N_

DELIMITERS = (";", ",", "\t", "|")
ENCODINGS = ("utf-8", "cp1252", "cp1250", "utf-16")
ROW_LIMIT = 200_000
NO_TABLE = N_("The file is no table with a date and an amount in every line.")
TOO_MANY_ROWS = N_("The table has more than %(limit)s lines. Please export a shorter period.")


@dataclass(frozen=True, kw_only=True)
class Columns:
    """How a table is to be read. Columns and the row of headings are counted from 0; None: there is none."""

    delimiter: str = ";"
    encoding: str = "utf-8"
    decimal: str = ","
    order: str = "dmy"  # of day, month and year in dates
    heading: int | None = 0
    booked: int | None = None
    valued: int | None = None
    amount: int | None = None
    debit: int | None = None  # with ``credit`` instead of ``amount``
    credit: int | None = None
    sign: int | None = None  # says «debit» or «credit» beside an amount without sign
    inverted: bool = False  # spendings are written as positive (card statements)
    currency: int | None = None
    currency_code: str = "EUR"  # where there is no column
    name: int | None = None
    iban: int | None = None
    text: tuple[int, ...] = ()
    end_to_end_id: int | None = None
    mandate: int | None = None
    bank_reference: int | None = None
    type: int | None = None
    account: int | None = None  # the own one
    balance: int | None = None
    status: int | None = None

    @property
    def is_whole(self) -> bool:
        """Whether a table can be read by it: a date and an amount are known."""
        return self.booked is not None and (self.amount is not None or None not in (self.debit, self.credit))

    def as_json(self) -> dict[str, object]:
        """Plain values for storing."""
        return {**asdict(self), "text": list(self.text)}

    @classmethod
    def of_json(cls, stored: Mapping[str, object]) -> Columns:
        """The value that was stored; unknown names are passed over."""
        known = {one.name for one in fields(cls)}
        given = {name: value for name, value in stored.items() if name in known}
        given["text"] = tuple(given.get("text") or ())  # type: ignore[arg-type]
        return cls(**given)  # type: ignore[arg-type]


# Headings as banks write them, the surest first. Compared without case, accents and signs.
_HEADINGS: Mapping[str, tuple[str, ...]] = {
    "booked": (
        "buchungstag", "buchungsdatum", "datum buchung", "buchung", "settlement date utc", "settlement date local",
        "date de la valeur utc", "date de la valeur local", "abwicklungsdatum utc", "wertstellungsdatum utc",
        "booking date", "posting date", "date completed utc", "completed date", "date processed", "transaction date",
        "boekdatum", "datum zauctovani", "date comptable", "date operation", "tranzakcio datuma", "fecha", "data",
        "datum", "date",
    ),
    "valued": (
        "valutadatum", "wertstellungsdatum", "wertstellung", "valuta", "valuta datum", "value date", "rentedatum",
        "date de valeur", "operation date utc", "ausfuhrungsdatum utc", "ertekap", "execution date",
    ),
    "amount": (
        "buchungsbetrag", "betrag eur", "betrag in eur", "betrag", "total amount incl vat", "montant total ttc",
        "gesamtbetrag inkl mwst", "gesamtbetrag", "zauctovana castka", "tranzakcio osszege", "bedrag", "bedrag eur",
        "umsatz in eur", "umsatz", "amount eur", "amount", "montant", "importe", "importo", "inflow",
    ),
    "debit": ("debit", "soll", "ausgaben", "belastung", "withdrawals", "paid out", "money out", "debet", "af"),
    "credit": ("credit", "haben", "einnahmen", "gutschrift", "deposits", "paid in", "money in", "bij"),
    "sign": ("soll haben", "s h", "soll haben kennzeichen", "af bij", "debit credit", "bevetel kiadas", "cdt dbt"),
    "currency": (
        "buchungswahrung", "wahrung", "waehrung", "currency", "devise", "munt", "muntsoort", "mena uctu",
        "tranzakcio devizaneme", "divisa", "valuta code",
    ),
    "name": (
        "beguenstigter zahlungspflichtiger", "begunstigter zahlungspflichtiger", "auftraggeber begunstigter",
        "name zahlungsbeteiligter", "sender empfanger", "auftraggeber empfanger", "zahlungsempfanger", "empfanger",
        "partner name", "counterparty name", "nom de la contrepartie", "name der gegenpartei", "naam tegenpartij",
        "counteraccount name", "nazev protiuctu", "partner neve", "payee", "zahlungsbeteiligter", "naam", "name",
    ),
    "iban": (
        "iban zahlungsbeteiligter", "kontonummer iban", "partner iban", "counterparty iban", "iban konto nr",
        "tegenrekening iban bban", "rekeningnummer tegenpartij", "tegenrekening", "counterparty", "cislo protiuctu",
        "partner szamlaszama", "kontonummer", "iban",
    ),
    "text": (
        "verwendungszweck", "transaktionsbeschreibung", "buchungstext", "omschrijving", "omschrijving 1", "description",
        "reference", "referenz", "details", "memo", "vrije mededeling", "message for payee", "zprava", "kozlemeny",
        "libelle", "concepto",
    ),
    "end_to_end_id": ("end to end referenz", "kundenreferenz end to end", "end to end id", "endtoendid"),
    "mandate": ("mandatsreferenz", "mandate reference", "machtigingskenmerk"),
    "bank_reference": (
        "transaction id", "id de transaction", "identifiant de transaction", "transaktions id", "volgnr",
        "id transakce", "transaction reference number", "banking reference",
    ),
    "type": ("umsatzart", "transaktionstyp", "payment method", "methode de paiement", "zahlungsart", "typ transakce"),
    "account": (
        "iban auftragskonto", "iban auftraggeberkonto", "auftragskonto", "iban bban", "iban du compte", "account iban",
        "konto iban", "iban des kontos", "eigenes konto", "rekeningnummer", "rekening", "cislo uctu", "szamlaszam",
        "account number", "account", "konto",
    ),
    "balance": (
        "saldo nach buchung", "saldo na trn", "kontostand", "saldo", "balance", "solde", "egyenleg", "running balance",
    ),
    "status": ("status", "statut", "state"),
}  # fmt: skip
_FITS: Mapping[str, cells.Test] = {"booked": cells.is_day, "valued": cells.is_day, "amount": cells.is_amount}
_MORE_TEXTS = ("omschrijving 2", "omschrijving 3", "transaktionsbeschreibung zusatz", "description 2", "note", "notiz")
_QONTO = ({"total amount incl vat", "counterparty name"}, {"montant total ttc", "nom de la contrepartie"},
          {"gesamtbetrag inkl mwst", "name der gegenpartei"})  # fmt: skip


def plain(heading: str) -> str:
    """A heading without case, accents and signs: ``"Währung (Konto)"`` → ``"wahrung konto"``."""
    bare = unicodedata.normalize("NFKD", heading.casefold())
    return " ".join(re.sub(r"[^a-z0-9]+", " ", "".join(c for c in bare if not unicodedata.combining(c))).split())


def rows(content: bytes, encoding: str, delimiter: str) -> list[list[str]]:
    """The cells of a table; Unreadable when it cannot be decoded or is too long."""
    try:
        text = content.decode("utf-8-sig" if encoding == "utf-8" else encoding)
        found: list[list[str]] = []
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter):
            if len(found) >= ROW_LIMIT:
                raise Unreadable(TOO_MANY_ROWS, limit=ROW_LIMIT)
            found.append([one_line(cell) for cell in row])
    except (UnicodeError, LookupError, csv.Error) as error:
        raise Unreadable(NO_TABLE) from error
    return found


def signature(table: Sequence[Sequence[str]], columns: Columns) -> str:
    """By what a file of the same kind is known again: its headings, else how many columns it has."""
    if columns.heading is not None and columns.heading < len(table):
        named = [plain(cell) for cell in table[columns.heading]]
    else:
        named = [str(max((len(row) for row in table), default=0))]
    return hashlib.sha256("|".join([columns.delimiter, *named]).encode()).hexdigest()


def is_qonto(table: Sequence[Sequence[str]], columns: Columns) -> bool:
    """Whether it is the export of Qonto, in one of its languages."""
    if columns.heading is None:
        return False
    named = {plain(cell) for cell in table[columns.heading]}
    return any(one <= named for one in _QONTO)


def propose(content: bytes) -> Columns:
    """The best guess at how the table is to be read; what it does not find is None. Unreadable when it is no table."""
    encoding = _encoding(content)
    delimiter = _delimiter(content, encoding)
    table = rows(content, encoding, delimiter)
    heading = _heading(table)
    guess = Columns(encoding=encoding, delimiter=delimiter, heading=heading)
    body = [row for row in table[(heading + 1) if heading is not None else 0 :] if any(row)][:500]
    told = guess if heading is None else _by_headings(guess, table[heading], body)
    guess = told if told.is_whole else _by_contents(told, body)
    if not guess.text and guess.name is None:
        guess = replace(guess, text=_longest(body, _taken(guess)))
    amounts = _values(body, guess.amount, guess.debit, guess.credit)
    days = _values(body, guess.booked, guess.valued)
    return replace(guess, decimal=cells.decimal_mark(amounts), order=cells.date_order(days))


def _values(body: Sequence[Sequence[str]], *columns: int | None) -> list[str]:
    return [row[at] for row in body for at in columns if at is not None and at < len(row) and row[at]]


def _has(row: Sequence[str], at: int | None) -> bool:
    return at is not None and at < len(row) and bool(row[at])


def _encoding(content: bytes) -> str:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    try:
        content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8"


def _delimiter(content: bytes, encoding: str) -> str:
    """The one that parts most lines into the same, largest number of cells."""

    def fit(delimiter: str) -> int:
        widths = [len(row) for row in rows(content[:200_000], encoding, delimiter) if any(row)]
        usual = max(set(widths), key=widths.count, default=0)
        return widths.count(usual) * (usual - 1)

    try:
        return max(DELIMITERS, key=fit)
    except Unreadable:  # the cut went through a character or a quoted cell
        return max(DELIMITERS, key=lambda mark: content.count(mark.encode()))


def _heading(table: Sequence[Sequence[str]]) -> int | None:
    """The row of headings: the one of the top rows with most known cells, several at least, and none an amount.

    Where no heading is known: the first row of nothing but words right above one with a date and an amount.
    """
    known = {word for words in _HEADINGS.values() for word in words}

    def hits(row: Sequence[str]) -> int:
        named = filter(None, map(plain, row))
        return sum(any(name == word or name.startswith(f"{word} ") for word in known) for name in named)

    words = [(number, row) for number, row in enumerate(table[:40]) if not any(map(_is_value, row))]
    best = max(words, key=lambda one: hits(one[1]), default=None)
    if best and hits(best[1]) >= 2:
        return best[0]
    filled = [(number, row) for number, row in enumerate(table[:40]) if sum(map(bool, row)) > 1]
    for (number, row), (_next, following) in pairwise(filled):
        if not any(map(_is_value, row)) and any(map(cells.is_day, following)) and any(map(cells.is_amount, following)):
            return number
    return None


def _is_value(cell: str) -> bool:
    return cells.is_amount(cell) or cells.is_day(cell)


def _by_headings(guess: Columns, heading: Sequence[str], body: Sequence[Sequence[str]]) -> Columns:
    named = [plain(cell) for cell in heading]
    found: dict[str, int] = {}
    for close in (str.__eq__, lambda name, word: name.startswith(f"{word} ")):  # every exact heading goes first
        for field, words in _HEADINGS.items():
            fits = _FITS.get(field)
            free = [
                at for at in range(len(named)) if at not in found.values() and (not fits or _mostly(body, at, fits))
            ]
            ranked = (at for word in words for at in free if close(named[at], word))
            if field not in found and (best := next(ranked, None)) is not None:
                found[field] = best
    if "amount" in found:
        found.pop("debit", None)
        found.pop("credit", None)
    texts = tuple(at for at, name in enumerate(named) if name in _MORE_TEXTS and at not in found.values())
    first = found.pop("text", None)
    text = (*(() if first is None else (first,)), *texts)
    code = _code_in(heading[found["amount"]]) if "amount" in found else ""
    placed = Columns.of_json({**guess.as_json(), **found})
    return replace(placed, text=text, currency_code=code or "EUR")


def _mostly(body: Sequence[Sequence[str]], at: int, fits: cells.Test) -> bool:
    filled = [row[at] for row in body if _has(row, at)]
    return not body or sum(map(fits, filled)) * 2 > len(filled)


def _code_in(heading: str) -> str:
    found = re.search(r"\b(EUR|CHF|USD|GBP|CZK|PLN|HUF|SEK|DKK|NOK|SGD)\b", heading)
    return found[1] if found else ""


def _by_contents(guess: Columns, body: Sequence[Sequence[str]]) -> Columns:
    """Where headings do not tell: the first columns of dates and of amounts, the currency, and the longest text."""
    width = max((len(row) for row in body), default=0)
    days = [at for at in range(width) if _filled(body, at) and _mostly(body, at, cells.is_day)]
    amounts = [at for at in range(width) if at not in days and _filled(body, at) and _mostly(body, at, cells.is_amount)]
    codes = [at for at in range(width) if _filled(body, at) and _mostly(body, at, cells.is_currency)]
    return replace(
        guess,
        booked=days[0] if guess.booked is None and days else guess.booked,
        valued=days[1] if guess.valued is None and len(days) > 1 else guess.valued,
        amount=amounts[0] if guess.amount is None and amounts else guess.amount,
        currency=codes[0] if guess.currency is None and codes else guess.currency,
        text=guess.text or _longest(body, {*days, *amounts, *codes}),
    )


def _taken(guess: Columns) -> set[int]:
    """The columns that mean something already."""
    return {at for name, at in guess.as_json().items() if name != "heading" and type(at) is int}


def _longest(body: Sequence[Sequence[str]], taken: set[int]) -> tuple[int, ...]:
    """The column with the most text of those that are free, to say what a payment was for."""
    width = max((len(row) for row in body), default=0)
    rest = [at for at in range(width) if at not in taken]
    longest = max(rest, key=lambda at: sum(len(row[at]) for row in body if _has(row, at)), default=None)
    return () if longest is None else (longest,)


def _filled(body: Sequence[Sequence[str]], at: int) -> bool:
    return sum(_has(row, at) for row in body) * 2 > len(body)
