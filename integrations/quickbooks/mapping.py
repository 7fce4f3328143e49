"""What a document becomes in QuickBooks: pure, exact to the cent.

| document | gross | becomes |
|---|---|---|
| incoming invoice | >= 0 | Bill |
| receipt | >= 0 | Purchase (expense) from the payment account, or a Bill when none is set |
| outgoing invoice | >= 0 | Invoice |
| incoming invoice, receipt | < 0 | VendorCredit |
| outgoing invoice | < 0 | CreditMemo |

Limits of length and spelling: developer.intuit.com, entity reference.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Any, TypeVar

from integrations.contract import N_, DocumentKind, Line, OutgoingDocument
from integrations.errors import Rejected
from integrations.money import Money
from integrations.quickbooks.client import Entity, exact_json

NUMBER_LENGTH = 21
NAME_LENGTH = 500
ITEM_NAME_LENGTH = 100
_COMPANY_NAME_LENGTH = 100
_CHECK_NAME_LENGTH = 110
_TEXT_LENGTH = 4000
_MAIL_LENGTH = 100
_FILE_NAME_LENGTH = 1000
# the portal asks for these before it queues a document; here they are the last line
NO_DATE = N_("The document has no date yet.")
NO_TOTAL = N_("The document has no total yet.")
NO_PARTY = N_("The document has no supplier or customer yet.")

Known = TypeVar("Known")
_MARK = re.compile(r"Kontor:([^/\s]+)/(\d+)")

# media type -> endings that say so, the usual one first
_ENDINGS: Mapping[str, tuple[str, ...]] = {
    "application/pdf": (".pdf",),
    "image/jpeg": (".jpg", ".jpeg"),
    "image/png": (".png",),
    "image/tiff": (".tif", ".tiff"),
    "application/xml": (".xml",),
    "text/xml": (".xml",),
    "text/plain": (".txt",),
    "text/csv": (".csv",),
}
SALES = frozenset({"Invoice", "CreditMemo"})
# the page of an entry in the web application, below its base address
PAGES = {
    "Bill": "bill",
    "VendorCredit": "vendorcredit",
    "Purchase": "expense",
    "Invoice": "invoice",
    "CreditMemo": "creditmemo",
}


@dataclass(frozen=True, kw_only=True)
class Books:
    """How the company keeps its books."""

    home: str  # home currency
    many_currencies: bool
    own_numbers: bool  # numbers of sales documents are kept as given (else QuickBooks counts by itself)
    global_tax: bool  # every line has a tax code; false in the United States


@dataclass(frozen=True, kw_only=True)
class References:
    """QuickBooks' ids of what a document refers to."""

    party: str
    account: str = ""  # expenses
    paid_from: str | None = None  # purchases
    paid_by_card: bool = False
    items: Mapping[str | None, str] = field(default_factory=dict)  # sales: service type (None: the default) -> item
    tax_code: str | None = None


class Match(StrEnum):
    """What an entry found under the same number is."""

    OURS = "ours"  # written for this document by an earlier attempt
    TWIN = "twin"  # the same invoice, entered by hand
    TYPO = "typo"  # entered by hand: same party, number and date, but another total
    STRANGER = "stranger"  # another document


def entity_of(document: OutgoingDocument, *, pays_at_once: bool) -> str:
    """The kind of entry; ``pays_at_once``: a payment account for receipts is set."""
    credit = _gross(document).minor < 0
    if document.kind is DocumentKind.OUTGOING_INVOICE:
        return "CreditMemo" if credit else "Invoice"
    if credit:
        return "VendorCredit"
    return "Purchase" if document.kind is DocumentKind.RECEIPT and pays_at_once else "Bill"


def payload(entity: str, document: OutgoingDocument, books: Books, references: References) -> Entity:
    """The entry as QuickBooks takes it; Rejected when the company's books cannot hold it."""
    _check_currency(document, books)
    lines = _sales_lines if entity in SALES else _expense_lines
    kept = bool(document.number) and keeps_number(entity, books)
    return {
        "TxnDate": _known(document.issued_on, NO_DATE).isoformat(),
        **({"DocNumber": doc_number(document.number or "")} if kept else {}),
        "PrivateNote": note(document, kept=kept),
        **_party(entity, document, references),
        **({"CurrencyRef": {"value": _gross(document).currency}} if books.many_currencies else {}),
        **_due(entity, document),
        **_tax(document, books, references),
        "Line": lines(document, books, references),
    }


def doc_number(number: str) -> str:
    """The number as QuickBooks keeps it: of a longer one its last 21 characters, where the counting is."""
    return " ".join(number.split())[-NUMBER_LENGTH:].strip()


def keeps_number(entity: str, books: Books) -> bool:
    """Whether QuickBooks keeps the number it is given (sales documents only with custom transaction numbers)."""
    return entity not in SALES or books.own_numbers


def mark(document: OutgoingDocument) -> str:
    """What tells our entry for this document and version from everybody else's."""
    return f"Kontor:{document.id}/{document.version}"


def note(document: OutgoingDocument, *, kept: bool) -> str:
    """PrivateNote: the full number where DocNumber does not hold it, and our mark. Only the company sees it."""
    number = " ".join((document.number or "").split())
    whole = kept and number == doc_number(number)
    return f"{'' if whole or not number else number[: _TEXT_LENGTH - 200] + chr(10)}{mark(document)}"


def marked(existing: Mapping[str, Any]) -> tuple[str, int] | None:
    """Document id and version in an entry's mark."""
    found = _MARK.search(str(existing.get("PrivateNote") or ""))
    return (found.group(1), int(found.group(2))) if found else None


def judge(existing: Mapping[str, Any], wanted: Mapping[str, Any], document: OutgoingDocument) -> Match:
    """What an entry with the number, or of the date, of the wanted one is to us."""
    whose = marked(existing)
    if whose is not None and whose[0] == document.id:
        return Match.OURS
    facts = ("DocNumber", "TxnDate")
    differs = party_of(existing) != party_of(wanted) or any(existing.get(one) != wanted.get(one) for one in facts)
    # what Kontor wrote for another document is another document: its own look for duplicates has decided already
    if differs or whose is not None or "DocNumber" not in wanted:
        return Match.STRANGER
    return Match.TWIN if total_of(existing) == abs(_gross(document).decimal) else Match.TYPO


def party_of(entry: Mapping[str, Any]) -> str | None:
    """The id of an entry's vendor or customer."""
    reference = entry.get("VendorRef") or entry.get("CustomerRef") or entry.get("EntityRef") or {}
    value = reference.get("value")
    return None if value is None else str(value)


def total_of(entry: Mapping[str, Any]) -> Decimal:
    """The total of an entry in major units of its currency."""
    return Decimal(str(entry.get("TotalAmt", 0)))


def content(entry: Mapping[str, Any]) -> str:
    """A short hash of what an accountant would call another invoice: total, date, number and party.

    Payments, mails and another expense account change the entry's version too; they are everyday work, not drift.
    """
    facts = (format(total_of(entry).normalize(), "f"), entry.get("TxnDate"), entry.get("DocNumber"), party_of(entry))
    return hashlib.sha256(repr(facts).encode()).hexdigest()[:16]


def display_name(name: str, suffix: str = "", length: int = NAME_LENGTH) -> str:
    """A name as QuickBooks' lists allow it: no colon, tab or line break, not too long; the suffix is kept whole."""
    allowed = " ".join(re.sub(r"[:\x00-\x1f\x7f]+", " ", name).split()) or "-"
    return allowed[: length - len(suffix)].rstrip() + suffix


def new_party(name: str, document: OutgoingDocument, books: Books) -> Entity:
    """A vendor or customer of that display name; the currency is fixed for ever when it is made."""
    party = _known(document.party, NO_PARTY)
    return {
        "DisplayName": name,
        "CompanyName": display_name(party.name, length=_COMPANY_NAME_LENGTH),
        **({"PrintOnCheckName": name[:_CHECK_NAME_LENGTH].rstrip()} if len(name) > _CHECK_NAME_LENGTH else {}),
        **_address("PrimaryEmailAddr", party.email),
        **({"CurrencyRef": {"value": _gross(document).currency}} if books.many_currencies else {}),
    }


def attachment(entity: str, remote_id: str, document: OutgoingDocument) -> Entity:
    """The Attachable that links the file to its entry; an invoice's file goes with the mail to the customer."""
    return {
        "AttachableRef": [
            {"EntityRef": {"type": entity, "value": remote_id}, "IncludeOnSend": entity in SALES},
        ],
        "FileName": file_name(document),
        "ContentType": document.media_type,
        "Note": attachment_mark(document),
    }


def file_name(document: OutgoingDocument) -> str:
    """The file's name as QuickBooks takes it: it tells by the ending whether it takes the file at all."""
    name = (
        re.sub(r'[\x00-\x1f\x7f"\\/:*?<>|]+', "_", document.filename).strip()[-_FILE_NAME_LENGTH + 10 :] or "document"
    )
    ending = _ENDINGS.get(document.media_type)
    return name if ending is None or name.lower().endswith(ending) else f"{name}{ending[0]}"


def attachment_mark(document: OutgoingDocument) -> str:
    """What tells that these bytes are attached already."""
    return f"Kontor:{document.sha256[:32]}"


def request_id(reservation: str, step: str, body: Mapping[str, Any] | None = None) -> str:
    """At most 50 characters, the same for the same step with the same content, another one for other content."""
    text = f"{reservation}|{step}|{exact_json(body or {})}"
    return f"kontor-{hashlib.sha256(text.encode()).hexdigest()[:40]}"


def _gross(document: OutgoingDocument) -> Money:
    return _known(document.gross, NO_TOTAL)


def _known(value: Known | None, sentence: str) -> Known:
    if value is None:
        raise Rejected(sentence)
    return value


def _check_currency(document: OutgoingDocument, books: Books) -> None:
    currency = _gross(document).currency
    if currency != books.home and not books.many_currencies:
        text = N_("The books are kept in %(home)s only, the document is in %(currency)s. Switch on several currencies.")
        raise Rejected(text, home=books.home, currency=currency)


def _party(entity: str, document: OutgoingDocument, references: References) -> Entity:
    if entity == "Purchase":
        return {
            "EntityRef": {"value": references.party, "type": "Vendor"},
            "AccountRef": {"value": references.paid_from},
            "PaymentType": "CreditCard" if references.paid_by_card else "Cash",
        }
    if entity in SALES:
        email = document.party.email if document.party else None
        return {"CustomerRef": {"value": references.party}, **_address("BillEmail", email)}
    return {"VendorRef": {"value": references.party}}


def _address(name: str, email: str | None) -> Entity:
    usable = email and "@" in email and "." in email and len(email) <= _MAIL_LENGTH
    return {name: {"Address": email}} if usable else {}


def _due(entity: str, document: OutgoingDocument) -> Entity:
    takes = entity in {"Bill", "Invoice"} and document.due_on is not None
    return {"DueDate": document.due_on.isoformat()} if takes and document.due_on else {}


def _tax(document: OutgoingDocument, books: Books, references: References) -> Entity:
    """Tax by code: the document's own tax total, so that no rounding of QuickBooks changes a cent."""
    if not books.global_tax:
        return {}
    if references.tax_code is None:
        return {"GlobalTaxCalculation": "NotApplicable"}
    return {"GlobalTaxCalculation": "TaxExcluded", "TxnTaxDetail": {"TotalTax": abs(_tax_total(document).decimal)}}


def _tax_total(document: OutgoingDocument) -> Money:
    if document.tax is not None:
        return document.tax
    if document.net is not None:
        return _gross(document) - document.net
    raise Rejected(N_("A tax code is set for this company, so the document needs its tax or net amount."))


def _base(document: OutgoingDocument, books: Books, references: References) -> Money:
    """What the lines must add up to: net when QuickBooks adds the tax, else gross."""
    gross = _gross(document)
    return gross - _tax_total(document) if books.global_tax and references.tax_code else gross


def _tax_code(books: Books, references: References) -> Entity:
    if books.global_tax and references.tax_code:
        return {"TaxCodeRef": {"value": references.tax_code}}
    # without the code an American company with automated sales tax would add its own tax to a total that is final
    return {} if books.global_tax else {"TaxCodeRef": {"value": "NON"}}


def _expense_lines(document: OutgoingDocument, books: Books, references: References) -> list[Entity]:
    detail = {"AccountRef": {"value": references.account}, **(_tax_code(books, references) if books.global_tax else {})}
    text = "; ".join(line.description for line in document.lines) or document.number or document.filename
    return [
        {
            "Amount": abs(_base(document, books, references).decimal),
            "Description": text[:_TEXT_LENGTH],
            "DetailType": "AccountBasedExpenseLineDetail",
            "AccountBasedExpenseLineDetail": detail,
        }
    ]


def _sales_lines(document: OutgoingDocument, books: Books, references: References) -> list[Entity]:
    sign = -1 if _gross(document).minor < 0 else 1
    base = _base(document, books, references)
    lines = document.lines or (Line(description=document.number or document.filename, net=base),)
    made = [_sales_line(line, sign, books, references) for line in lines]
    rest = base.minor - sum(line.net.minor for line in lines)
    if rest:
        # allowances and charges, and the tax where QuickBooks does not compute it
        extra = Line(description="Steuer, Zu- und Abschläge / Tax and charges", net=Money(rest, base.currency))
        made.append(_sales_line(extra, sign, books, references))
    return made


def _sales_line(line: Line, sign: int, books: Books, references: References) -> Entity:
    item = references.items.get(line.service_type) or references.items[None]
    exact = line.unit_price is not None and line.quantity * line.unit_price == line.net.decimal
    price = {"Qty": line.quantity, "UnitPrice": line.unit_price} if exact and sign > 0 else {}
    return {
        "Amount": sign * line.net.decimal,
        "Description": line.description[:_TEXT_LENGTH],
        "DetailType": "SalesItemLineDetail",
        "SalesItemLineDetail": {"ItemRef": {"value": item}, **price, **_tax_code(books, references)},
    }
