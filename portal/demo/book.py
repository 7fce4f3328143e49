"""The papers of one client over the three months before a day: what a shoebox brought to the firm would hold."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from random import Random

from integrations.contract import DocumentKind
from integrations.money import Money
from portal.demo.papers.companies import Company, digits
from portal.demo.papers.einvoice import cii, ubl, zugferd
from portal.demo.papers.invoices import Invoice, Item
from portal.demo.papers.pages import page, photograph
from portal.demo.papers.receipts import Bought, Receipt
from portal.demo.papers.statements import Movement, Statement, camt, mt940
from portal.demo.trades import Partner, Shop, Trade

MONTHS = 3
_ENDS = {"zugferd": "pdf", "pdf": "pdf", "ubl": "xml", "cii": "xml", "scan": "png", "camt": "xml", "mt940": "sta"}


@dataclass(frozen=True, kw_only=True)
class Paper:
    """One file and what is true of it. ``make`` draws it; ``bytes`` keeps what was drawn."""

    filename: str
    make: Callable[[], bytes]
    kind: DocumentKind
    issued_on: date
    party: Company | None = None
    number: str | None = None
    due_on: date | None = None
    net: Money | None = None
    tax: Money | None = None
    gross: Money | None = None
    lines: Sequence[dict[str, str]] = ()
    iban: str | None = None  # of the client's account it belongs to

    def bytes(self, kept: Path | None = None) -> bytes:
        """The file; drawn once and kept in the folder ``kept``, when there is one."""
        place = kept / self.filename if kept else None
        if place and place.is_file():
            return place.read_bytes()
        content = self.make()
        if place:
            place.parent.mkdir(parents=True, exist_ok=True)
            beside = place.with_suffix(".part")
            beside.write_bytes(content)
            beside.replace(place)
        return content


def book(trade: Trade, today: date) -> list[Paper]:
    """About 27 papers of the three whole months before ``today``, oldest first. The same arguments, the same papers."""
    months = _months_before(today)
    invoices = [made for month in months for made in _bought(trade, month)]
    sales = [made for month in months for made in _sold(trade, month)]
    sales.append(_credit(sales[0], months[1]))
    papers = [_invoice_paper(made, form, DocumentKind.INCOMING_INVOICE, made.seller) for made, form in invoices]
    papers += [_invoice_paper(made, trade.sells.form, DocumentKind.OUTGOING_INVOICE, made.buyer) for made in sales]
    papers += [_receipt_paper(trade, shop, month) for month in months for shop in trade.shops[: 1 + month.month % 2]]
    papers += _statement_papers(trade, months, [made for made, _form in invoices], sales)
    papers.append(_letter(trade, months[-1]))
    return sorted(papers, key=lambda paper: (paper.issued_on, paper.filename))


def _months_before(today: date) -> list[date]:
    first = today.replace(day=1)
    months: list[date] = []
    for _number in range(MONTHS):
        first = (first - timedelta(days=1)).replace(day=1)
        months.insert(0, first)
    return months


def _last_day(month: date) -> date:
    return (month.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)


# --- invoices


def _bought(trade: Trade, month: date) -> Iterator[tuple[Invoice, str]]:
    for supplier in trade.suppliers:
        yield _invoice(supplier, supplier.company, trade.company, month, trade.number), supplier.form


def _sold(trade: Trade, month: date) -> Iterator[Invoice]:
    for at, customer in enumerate(trade.customers[:2] if month.month % 2 else trade.customers[1:]):
        yield _invoice(trade.sells, trade.company, customer, month, f"{at}{customer.name}")


def _invoice(terms: Partner, seller: Company, buyer: Company, month: date, salt: str) -> Invoice:
    seed = f"{seller.name}{buyer.name}{month}{salt}"
    dice = Random(seed)  # noqa: S311 - a sample, not a secret
    issued_on = month + timedelta(days=dice.randrange(1, 26))
    return Invoice(
        seller=seller,
        buyer=buyer,
        number=f"{terms.prefix}{month:%y%m}-{digits(seed, 4)}",
        issued_on=issued_on,
        due_on=issued_on + timedelta(days=dice.choice((10, 14, 30))),
        items=_items(terms, dice),
        layout=terms.layout,
        language=terms.language,
        currency=terms.currency,
        treatment=terms.treatment,
        reason=terms.reason,
        intro=terms.intro,
        customer=f"{digits(buyer.name + seller.name, 5)}",
        period=f"{month:%m/%Y}",
    )


def _items(terms: Partner, dice: Random) -> list[Item]:
    chosen = sorted(dice.sample(range(len(terms.wares)), min(terms.lines, len(terms.wares))))
    if terms.deliveries == 1:
        return [_bit_different(terms.wares[at], dice) for at in chosen]
    notes = [f"LS {dice.randrange(10000, 99999)}" for _delivery in range(terms.deliveries)]
    delivered = [(note, _bit_different(terms.wares[at], dice)) for note in notes for at in chosen]
    return [replace(item, text=f"{item.text} ({note})") for note, item in delivered]


def _bit_different(item: Item, dice: Random) -> Item:
    """The usual quantity, a quarter more or less, with as many places as before."""
    if item.quantity == 1:
        return item
    places = Decimal(1).scaleb(int(item.quantity.as_tuple().exponent))
    factor = Decimal(dice.randrange(75, 126)) / 100
    return replace(item, quantity=max(places, (item.quantity * factor).quantize(places, ROUND_HALF_UP)))


def _credit(sale: Invoice, month: date) -> Invoice:
    """A part of an earlier invoice taken back: the first line, negative."""
    first = sale.items[0]
    part = max(Decimal(1), (first.quantity / 10).quantize(Decimal(1)))
    return replace(
        sale,
        number=f"{sale.number}-K",
        corrects=sale.number,
        issued_on=month + timedelta(days=9),
        due_on=month + timedelta(days=9),
        items=[replace(first, quantity=-part)],
        intro="",
    )


def _invoice_paper(invoice: Invoice, form: str, kind: DocumentKind, party: Company) -> Paper:
    if invoice.corrects and form in {"ubl", "zugferd", "cii"}:
        form = "pdf"  # a negative line is no line of EN 16931
    name = f"{invoice.issued_on:%Y-%m-%d} {party.name.replace('/', '-')} {invoice.number}.{_ENDS[form]}"
    return Paper(
        filename=name,
        make=lambda: drawn(invoice, form),
        kind=kind,
        issued_on=invoice.issued_on,
        party=party,
        number=invoice.number,
        due_on=invoice.due_on,
        net=invoice.net,
        tax=invoice.tax,
        gross=invoice.gross,
        lines=[_line(invoice, item) for item in invoice.items],
    )


def _line(invoice: Invoice, item: Item) -> dict[str, str]:
    return {
        "description": item.text,
        "quantity": str(item.quantity),
        "unit_price": str(item.price),
        "net": str(invoice.net_of(item).minor),
        "tax_rate": str(item.rate),
    }


def drawn(invoice: Invoice, form: str) -> bytes:
    """The invoice in one of its forms: pdf, zugferd, ubl, cii, scan."""
    if form == "zugferd":
        return zugferd(invoice)
    if form in {"ubl", "cii"}:
        return (ubl if form == "ubl" else cii)(invoice)
    pages = page(invoice.layout, language=invoice.language, invoice=invoice)
    return photograph(pages, invoice.number, png=True) if form == "scan" else pages


# --- receipts, statements, letters


def _receipt_paper(trade: Trade, shop: Shop, month: date) -> Paper:
    dice = Random(f"{trade.number}{shop.company.name}{month}")  # noqa: S311 - a sample
    chosen = sorted(dice.sample(range(len(shop.wares)), dice.randrange(1, len(shop.wares) + 1)))
    bought = [shop.wares[at] for at in chosen]
    receipt = Receipt(
        shop=shop.company,
        number=digits(f"{trade.number}{month}{shop.company.name}", 6),
        bought_on=month + timedelta(days=dice.randrange(0, 27)),
        items=[Bought(text=text, amount=Money(cents, "EUR"), rate=rate) for text, cents, rate in bought],
        paid_by=dice.choice(("Kartenzahlung", "Girocard", "Bar")),
    )
    return Paper(
        filename=f"Beleg_{receipt.bought_on:%Y%m%d}_{receipt.number}.jpg",
        make=lambda: photograph(page("receipt", receipt=receipt), receipt.number),
        kind=DocumentKind.RECEIPT,
        issued_on=receipt.bought_on,
        party=receipt.shop,
        number=receipt.number,
        net=receipt.gross - receipt.tax,
        tax=receipt.tax,
        gross=receipt.gross,
        iban=trade.company.iban,
    )


def _statement_papers(
    trade: Trade, months: Sequence[date], bought: Sequence[Invoice], sold: Sequence[Invoice]
) -> Iterator[Paper]:
    opening = Money(1_500_000 + int(digits(trade.company.name, 6)), "EUR")
    for month, form in zip(months, ("pdf", "mt940", "camt"), strict=True):
        statement = _statement(trade, month, opening, bought, sold)
        yield Paper(
            filename=f"Kontoauszug {month:%Y-%m}.{_ENDS[form]}",
            make=lambda statement=statement, form=form: _stated(statement, form),  # type: ignore[misc]
            kind=DocumentKind.STATEMENT,
            issued_on=statement.last,
            number=statement.number,
            iban=statement.iban,
        )
        opening = statement.closing


def _stated(statement: Statement, form: str) -> bytes:
    if form == "pdf":
        return page("statement", statement=statement)
    return (camt if form == "camt" else mt940)(statement)


def _statement(
    trade: Trade, month: date, opening: Money, bought: Sequence[Invoice], sold: Sequence[Invoice]
) -> Statement:
    last = _last_day(month)
    rent, fee = Money(-185_000, "EUR"), Money(-1_490, "EUR")
    movements = [
        Movement(
            booked_on=month + timedelta(days=2),
            amount=rent,
            party="Grundstücksverwaltung Salzspeicher GmbH",
            reference=f"Miete {month:%m/%Y}",
            kind="Dauerauftrag",
        ),
        Movement(booked_on=last, amount=fee, party=trade.company.bank, reference="Kontoführung", kind="Entgelt"),
    ]
    for made, sign in [*((one, -1) for one in bought), *((one, 1) for one in sold)]:
        booked_on = made.issued_on + timedelta(days=5)
        if month <= booked_on <= last and made.currency == "EUR":
            movements.append(_paid(made, sign, booked_on))
    return Statement(
        owner=trade.company,
        iban=trade.company.iban,
        number=f"{month.month}/{month.year}",
        first=month,
        last=last,
        opening=opening,
        movements=sorted(movements, key=lambda movement: (movement.booked_on, movement.reference)),
    )


def _paid(invoice: Invoice, sign: int, booked_on: date) -> Movement:
    other = invoice.seller if sign < 0 else invoice.buyer
    return Movement(
        booked_on=booked_on,
        amount=Money(sign * invoice.gross.minor, "EUR"),
        party=other.name,
        reference=f"{invoice.number} Kd {invoice.customer}",
        kind="Überweisung" if sign < 0 else "Gutschrift",
        iban=other.iban,
    )


def _letter(trade: Trade, month: date) -> Paper:
    written_on = month + timedelta(days=16)
    return Paper(
        filename=f"{trade.subject.replace(':', ',')}.pdf",
        make=lambda: page(
            "note",
            sender=trade.customers[-1],
            receiver=trade.company,
            subject=trade.subject,
            paragraphs=trade.paragraphs,
            written_on=written_on,
        ),
        kind=DocumentKind.OTHER,
        issued_on=written_on,
        party=trade.customers[-1],
    )
