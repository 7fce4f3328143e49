"""An e-invoice as a person reads it: the parts of a page, in order, for one template (page and PDF alike).

Values are text in the reader's language, made of the invoice's own terms; labels are message ids. Nothing here is
HTML: the template escapes all of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from babel import Locale
from babel.dates import format_date
from babel.numbers import format_decimal

from portal.i18n import N_
from portal.money import display
from portal.reading.einvoice.invoice import Invoice, rounded
from portal.reading.einvoice.tree import Group
from portal.reading.einvoice.words import KINDS, MEANS, SYMBOLS, UNITS

NOTE_LIMIT = 5000  # characters shown of one note


@dataclass(frozen=True)
class Row:
    """A label and what it is.

    A label is a message id unless it is the invoice's ``own``; a value is one only when ``coded``. The difference
    matters: messages may be formats and are not escaped, so no text of a stranger is ever looked up as one.
    """

    label: str
    value: str
    coded: bool = False
    own: bool = False
    strong: bool = False


@dataclass(frozen=True)
class Party:
    """Seller, buyer, payee, …: ``title`` is a message id."""

    title: str
    name: str
    lines: tuple[str, ...]
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Item:
    """One line of the invoice; ``unit`` is a message id only when ``unit_coded``."""

    number: str
    name: str
    notes: tuple[str, ...]
    rows: tuple[Row, ...]
    quantity: str
    unit: str
    unit_coded: bool
    price: str
    rate: str
    net: str


@dataclass(frozen=True)
class Taxed:
    """One group of the VAT breakdown."""

    category: str
    rate: str
    base: str
    tax: str
    reason: str


@dataclass(frozen=True)
class Support:
    """A supporting document: named, described, linked to or attached (then with its type and size in bytes)."""

    reference: str
    description: str
    link: str
    filename: str
    media_type: str
    size: int


@dataclass(frozen=True)
class Readable:
    """The whole page. ``title`` is a message id; all of it is text that must be escaped."""

    title: str
    number: str
    facts: tuple[Row, ...]
    parties: tuple[Party, ...]
    items: tuple[Item, ...]
    adjustments: tuple[Row, ...]
    taxes: tuple[Taxed, ...]
    totals: tuple[Row, ...]
    payment: tuple[Row, ...]
    notes: tuple[str, ...]
    supports: tuple[Support, ...]
    standard: str
    currency: str


def readable(invoice: Invoice, language: str) -> Readable:
    """The invoice for a reader of ``language`` ("de", "en")."""
    return _Page(invoice, language).whole()


class _Page:
    def __init__(self, invoice: Invoice, language: str) -> None:
        self._invoice, self._language = invoice, language
        self._root, self._totals = invoice.root, invoice.totals
        self._currency = invoice.currency
        self._countries: Mapping[str, str] = Locale(language).territories

    def whole(self) -> Readable:
        root = self._root
        kind = root.text("BT-3")
        default = N_("Credit note") if self._invoice.is_credit_note else N_("Invoice")
        return Readable(
            title=KINDS.get(kind, default),
            number=root.text("BT-1"),
            facts=tuple(self._facts()),
            parties=tuple(self._parties()),
            items=tuple(self._item(line) for line in root.of("BG-25")),
            adjustments=tuple(self._adjustments()),
            taxes=tuple(self._taxed(group) for group in root.of("BG-23")),
            totals=tuple(self._sums()),
            payment=tuple(self._payment()),
            notes=tuple(note[:NOTE_LIMIT] for note in (*root.all("BT-22"), *root.all("BT-20"))),
            supports=tuple(_support(group) for group in root.of("BG-24")),
            standard=f"{self._invoice.profile.name} · {self._invoice.syntax}",
            currency=self._currency,
        )

    def _facts(self) -> Iterable[Row]:
        root = self._root
        yield from self._dates(root, ("BT-2", N_("Invoice date")), ("BT-9", N_("Due date")))
        for delivery in root.of("BG-13"):
            yield from self._dates(delivery, ("BT-72", N_("Date of delivery")))
        for period in root.of("BG-14"):
            yield from _given((N_("Invoicing period"), self._period(period, "BT-73", "BT-74")))
        yield from self._dates(root, ("BT-7", N_("Tax point date")))
        yield from _given(
            (N_("Buyer reference"), root.text("BT-10")),
            (N_("Project"), root.text("BT-11")),
            (N_("Contract"), root.text("BT-12")),
            (N_("Purchase order"), root.text("BT-13")),
            (N_("Sales order"), root.text("BT-14")),
            (N_("Despatch advice"), root.text("BT-16")),
            (N_("Cost centre"), root.text("BT-19")),
            *((N_("Preceding invoice"), self._preceding(group)) for group in root.of("BG-3")),
        )

    def _preceding(self, group: Group) -> str:
        return ", ".join(filter(None, (group.text("BT-25"), self._day(group.day("BT-26")))))

    def _parties(self) -> Iterable[Party]:
        root = self._root
        yield _seller(root.one("BG-4"), self._countries)
        yield _buyer(root.one("BG-7"), self._countries)
        for payee in root.of("BG-10"):
            rows = _given((N_("Identifier"), payee.text("BT-60")), (N_("Register number"), payee.text("BT-61")))
            yield Party(N_("Payee"), payee.text("BT-59"), (), tuple(rows))
        for agent in root.of("BG-11"):
            place = self._place(agent.one("BG-12"), "BT-64", "BT-65", "BT-164", "BT-67", "BT-66", "BT-68", "BT-69")
            rows = _given((N_("VAT ID"), agent.text("BT-63")))
            yield Party(N_("Tax representative"), agent.text("BT-62"), place, tuple(rows))
        for delivery in root.of("BG-13"):
            place = self._place(delivery.one("BG-15"), "BT-75", "BT-76", "BT-165", "BT-78", "BT-77", "BT-79", "BT-80")
            if place or delivery.has("BT-70"):
                yield Party(N_("Delivered to"), delivery.text("BT-70"), place, ())

    def _place(self, group: Group, *names: str) -> tuple[str, ...]:
        return _address(group, self._countries, *names)

    def _item(self, line: Group) -> Item:
        price, base = line.number("BT-146"), line.number("BT-149")
        per = f" / {self._number(base)}" if base is not None and base not in {Decimal(0), Decimal(1)} else ""
        notes = (line.text("BT-154"), *line.all("BT-127"))
        unit = line.text("BT-130")
        return Item(
            number=line.text("BT-126"),
            name=line.text("BT-153") or line.text("BT-155"),
            notes=tuple(note[:NOTE_LIMIT] for note in notes if note),
            rows=tuple(self._details(line)),
            quantity=self._number(line.number("BT-129")),
            unit=UNITS.get(unit) or SYMBOLS.get(unit, unit),
            unit_coded=unit in UNITS,
            price=self._number(price, least=2) + per if price is not None else "",
            rate=self._percent(line.number("BT-152")) or line.text("BT-151"),
            net=self._amount(line.number("BT-131"), symbol=False),
        )

    def _details(self, line: Group) -> Iterable[Row]:
        yield from _given(
            (N_("Article number"), line.text("BT-155")),
            (N_("Buyer's article number"), line.text("BT-156")),
            (N_("GTIN"), line.text("BT-157")),
            (N_("Order line"), line.text("BT-132")),
            (N_("Cost centre"), line.text("BT-133")),
            *((N_("Period"), self._period(period, "BT-134", "BT-135")) for period in line.of("BG-26")),
            *((N_("Allowance"), self._adjustment(one, "BT-136", "BT-139", -1)) for one in line.of("BG-27")),
            *((N_("Charge"), self._adjustment(one, "BT-141", "BT-144", 1)) for one in line.of("BG-28")),
        )
        for attribute in line.of("BG-32"):
            if attribute.has("BT-160") and attribute.has("BT-161"):
                yield Row(attribute.text("BT-160"), attribute.text("BT-161"), own=True)

    def _adjustments(self) -> Iterable[Row]:
        root = self._root
        return _given(
            *((N_("Allowance"), self._adjustment(one, "BT-92", "BT-97", -1)) for one in root.of("BG-20")),
            *((N_("Charge"), self._adjustment(one, "BT-99", "BT-104", 1)) for one in root.of("BG-21")),
            *((N_("Charge"), self._adjustment(one, "BT-X-272", "BT-X-271", 1)) for one in root.of("BG-X-42")),
        )

    def _adjustment(self, group: Group, amount: str, reason: str, sign: int) -> str:
        number = group.number(amount)
        text = "" if number is None else self._amount(sign * number)
        return " · ".join(filter(None, (group.text(reason), text)))

    def _taxed(self, group: Group) -> Taxed:
        return Taxed(
            category=group.text("BT-118"),
            rate=self._percent(group.number("BT-119")),
            base=self._amount(group.number("BT-116"), symbol=False),
            tax=self._amount(group.number("BT-117"), symbol=False),
            reason=group.text("BT-120") or group.text("BT-121"),
        )

    def _sums(self) -> Iterable[Row]:
        tax = self._invoice.tax_total
        sums = (
            (N_("Sum of the lines"), self._totals.number("BT-106"), False),
            (N_("Allowances"), self._negative("BT-107"), False),
            (N_("Charges"), self._totals.number("BT-108") or None, False),
            (N_("Total without VAT"), self._totals.number("BT-109"), False),
            (N_("VAT"), tax.number if tax else None, False),
            (N_("Total with VAT"), self._totals.number("BT-112"), True),
            (N_("Already paid"), self._negative("BT-113"), False),
            (N_("Rounding"), self._totals.number("BT-114") or None, False),
            (N_("Amount due"), self._totals.number("BT-115"), True),
        )
        return [Row(label, self._amount(each), strong=strong) for label, each, strong in sums if each is not None]

    def _negative(self, term: str) -> Decimal | None:
        number = self._totals.number(term)
        return -number if number else None

    def _payment(self) -> Iterable[Row]:
        for means in self._root.of("BG-16"):
            code = means.text("BT-81")
            if code:
                yield Row(N_("Means of payment"), MEANS.get(code, code), coded=code in MEANS)
            yield from _given((N_("Remark"), means.text("BT-82")), (N_("Payment reference"), means.text("BT-83")))
            for account in means.of("BG-17"):
                yield from _given(
                    (N_("Account (IBAN)"), grouped(account.text("BT-84"))),
                    (N_("Account holder"), account.text("BT-85")),
                    (N_("BIC"), account.text("BT-86")),
                )
            yield from _given(
                (N_("Mandate"), means.text("BT-89")),
                (N_("Debited account (IBAN)"), grouped(means.text("BT-91"))),
                *((N_("Card"), card.text("BT-87")) for card in means.of("BG-18")),
            )
        yield from _given((N_("Creditor identifier"), self._root.one("BG-4").text("BT-90")))

    def _dates(self, group: Group, *terms: tuple[str, str]) -> Iterable[Row]:
        """Dates; what is none is shown as it is written."""
        for name, label in terms:
            if group.has(name):
                yield Row(label, self._day(group.day(name)) or group.text(name))

    def _period(self, group: Group, start: str, end: str) -> str:
        days = [self._day(group.day(name)) or group.text(name) for name in (start, end)]
        return " – ".join(days) if any(days) else ""

    def _day(self, value: date | None) -> str:
        if value is None:
            return ""
        if self._language == "de":
            return format_date(value, "dd.MM.yyyy", locale="de")
        return format_date(value, "d MMM yyyy", locale="en_GB")

    def _number(self, value: Decimal | None, least: int = 0) -> str:
        """An exact number with all its places, at least so many."""
        if value is None:
            return ""
        pattern = "#,##0." + "0" * least + "#" * (12 - least)
        return format_decimal(value, format=pattern, locale=self._language)

    def _percent(self, value: Decimal | None) -> str:
        return "" if value is None else f"{self._number(value)}\u00a0%"

    def _amount(self, value: Decimal | None, *, symbol: bool = True) -> str:
        if value is None:
            return ""
        try:
            return display(rounded(value, self._currency), self._language, symbol=symbol)
        except ValueError:  # no currency, or none of three letters
            return self._number(value, least=2)


def _given(*rows: tuple[str, str]) -> list[Row]:
    """The rows that say something."""
    return [Row(label, value) for label, value in rows if value]


def _address(group: Group, countries: Mapping[str, str], *names: str) -> tuple[str, ...]:
    """Lines of an address; names: line 1, 2, 3, post code, city, subdivision, country."""
    first, second, third, code, city, part, country = (group.text(name) for name in names)
    return tuple(filter(None, (first, second, third, f"{code} {city}".strip(), part, countries.get(country, country))))


def _seller(group: Group, countries: Mapping[str, str]) -> Party:
    rows = _given(
        (N_("VAT ID"), group.text("BT-31")),
        (N_("Tax number"), group.text("BT-32")),
        (N_("Register number"), group.text("BT-30")),
        (N_("Seller number"), ", ".join(group.all("BT-29"))),
        *_contact(group.one("BG-6"), "BT-41", "BT-42", "BT-43"),
        (N_("Electronic address"), group.text("BT-34")),
        (N_("Legal information"), group.text("BT-33")),
    )
    place = _address(group.one("BG-5"), countries, "BT-35", "BT-36", "BT-162", "BT-38", "BT-37", "BT-39", "BT-40")
    return Party(N_("Seller"), *_names(group.text("BT-27"), group.text("BT-28"), place), tuple(rows))


def _buyer(group: Group, countries: Mapping[str, str]) -> Party:
    rows = _given(
        (N_("VAT ID"), group.text("BT-48")),
        (N_("Register number"), group.text("BT-47")),
        (N_("Customer number"), ", ".join(group.all("BT-46"))),
        *_contact(group.one("BG-9"), "BT-56", "BT-57", "BT-58"),
        (N_("Electronic address"), group.text("BT-49")),
    )
    place = _address(group.one("BG-8"), countries, "BT-50", "BT-51", "BT-163", "BT-53", "BT-52", "BT-54", "BT-55")
    return Party(N_("Buyer"), *_names(group.text("BT-44"), group.text("BT-45"), place), tuple(rows))


def _names(name: str, trading: str, place: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
    return name or trading, (trading, *place) if name and trading and trading != name else place


def _contact(group: Group, person: str, telephone: str, email: str) -> Sequence[tuple[str, str]]:
    return (
        (N_("Contact"), group.text(person)),
        (N_("Telephone"), group.text(telephone)),
        (N_("E-mail"), group.text(email)),
    )


def grouped(iban: str) -> str:
    """An IBAN in groups of four, as people write it; other account numbers as they are."""
    number = "".join(iban.split())
    if not number[:2].isalpha():
        return iban
    return " ".join(number[start : start + 4] for start in range(0, len(number), 4))


def _support(group: Group) -> Support:
    attached = group.term("BT-125")
    return Support(
        reference=group.text("BT-122"),
        description=group.text("BT-123"),
        link=group.text("BT-124"),
        filename=(attached.attribute("filename") or "") if attached else "",
        media_type=(attached.attribute("mimeCode") or "") if attached else "",
        size=len(attached.value) * 3 // 4 if attached else 0,
    )
