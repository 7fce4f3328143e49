"""CAMT.052, .053 and .054 (ISO 20022 cash management), versions 2 and newer.

Elements are found by their local names: between versions the namespace changes and a few elements gain a level, the
meaning stays. Nothing hostile runs: no DTD, no entities, no network, no giant trees.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal, InvalidOperation
from functools import cache

from lxml import etree

from integrations.money import Money
from portal.banking.statements import values
from portal.banking.statements.values import Balance, Detail, Entry, Format, Note, Statement, Unreadable
from portal.i18n import N_

NOT_XML = N_("The XML is damaged and cannot be read.")
DECLARES = N_("The XML declares a document type or entities; for safety it is not read.")
NO_CAMT = N_("The XML is no bank statement in CAMT.052, .053 or .054, version 2 or newer.")
NOTHING = N_("The file holds no statement.")
NO_AMOUNT = N_("An entry has no amount that can be read. Nothing was taken over.")

_NAMESPACE = re.compile(r"camt\.(05[234])\.001\.(\d\d)\b")
_FORMATS = {"052": Format.CAMT_052, "053": Format.CAMT_053, "054": Format.CAMT_054}
_STATEMENTS = ("BkToCstmrStmt/Stmt", "BkToCstmrAcctRpt/Rpt", "BkToCstmrDbtCdtNtfctn/Ntfctn")
_NOT_GIVEN = frozenset({"NOTPROVIDED", "NOTAVAILABLE", "NONREF", "NONE"})
# «Opening booked» and «closing booked»; a statement may instead begin with the «previously closed booked» balance.
_OPENING, _CLOSING = ("OPBD", "PRCD"), ("CLBD",)


def read(content: bytes) -> list[Statement]:
    """Every statement in the file; Unreadable when it is no CAMT or cannot be trusted."""
    root = _parsed(content)
    named = next(filter(None, map(_namespace, root.iter())), None) or _unnamed(root)
    if named is None or named[1] < 2:
        raise Unreadable(NO_CAMT)
    number = named[0]
    found = [one for path in _STATEMENTS for one in root.iterfind(f".//{_path(path)}")]
    if not found:
        raise Unreadable(NOTHING)
    return [_Reader(_FORMATS[number]).statement(one) for one in found]


def _parsed(content: bytes) -> etree._Element:
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_comments=True, remove_pis=True
    )
    try:
        root = etree.fromstring(content.strip(), parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise Unreadable(NOT_XML) from error
    if getattr(root.getroottree().docinfo, "doctype", ""):
        raise Unreadable(DECLARES)
    return root


def _namespace(element: etree._Element) -> tuple[str, int] | None:
    found = _NAMESPACE.search(etree.QName(element).namespace or "")
    return (found[1], int(found[2])) if found else None


def _unnamed(root: etree._Element) -> tuple[str, int] | None:
    """Number and least version of a message without a namespace, by the name of its element."""
    messages = (("053", "BkToCstmrStmt"), ("052", "BkToCstmrAcctRpt"), ("054", "BkToCstmrDbtCdtNtfctn"))
    return next(((number, 2) for number, name in messages if root.find(f".//{name}") is not None), None)


class _Reader:
    """Reads one statement; what a person should know of it gathers in ``notes``."""

    def __init__(self, format_: Format) -> None:
        self.format = format_
        self.notes: list[Note] = []

    def statement(self, element: etree._Element) -> Statement:
        iban, account = _account(element)
        opening, closing = self._balance(element, _OPENING), self._balance(element, _CLOSING, last=True)
        entries = tuple(self._entry(one) for one in element.iterfind(_path("Ntry")))
        return Statement(
            format=self.format,
            iban=iban,
            account=account,
            currency=_currency(element, closing, opening, entries),
            number=_text(element, "LglSeqNb") or _text(element, "ElctrncSeqNb"),
            opening=opening,
            closing=closing,
            made_on=_day(element, "CreDtTm"),
            entries=entries,
            notes=tuple(self.notes),
        )

    def _balance(self, element: etree._Element, codes: Sequence[str], *, last: bool = False) -> Balance | None:
        """The balance with the first of these codes that there is. Pages of a long statement repeat them."""
        for code in codes:
            found = [one for one in element.iterfind(_path("Bal")) if _text(one, "Tp/CdOrPrtry/Cd") == code]
            if found:
                one = found[-1 if last else 0]
                return Balance(self._amount(one), _day(one, "Dt/Dt") or _day(one, "Dt/DtTm"))
        return None

    def _entry(self, element: etree._Element) -> Entry:
        amount, code = self._amount(element), _code(element)
        payments = element.findall(_path("NtryDtls/TxDtls"))
        single = payments[0] if len(payments) == 1 else None
        returned = _text(element, "RvslInd") in {"true", "1"}
        detail = self._detail(single, amount, returned=returned) if single is not None else Detail()
        posting = values.one_line(_text(element, "AddtlNtryInf"))
        return Entry(
            amount=amount,
            booked_on=_day(element, "BookgDt/Dt") or _day(element, "BookgDt/DtTm"),
            valued_on=_day(element, "ValDt/Dt") or _day(element, "ValDt/DtTm"),
            name=detail.name,
            iban=detail.iban,
            text=detail.text or posting,
            reference=_text(element, "NtryDtls/TxDtls/RmtInf/Strd/CdtrRefInf/Ref") if single is not None else "",
            end_to_end_id=detail.end_to_end_id,
            mandate=detail.mandate,
            bank_reference=_reference(element, "AcctSvcrRef") or _reference(single, "Refs/AcctSvcrRef"),
            type=code,
            posting=posting,
            pending=(_text(element, "Sts/Cd") or _text(element, "Sts") or "BOOK") != "BOOK",
            details=tuple(self._detail(one, amount, returned=returned) for one in payments) if single is None else (),
        )

    def _amount(self, element: etree._Element) -> Money:
        found = self._money(element.find(_path("Amt")))
        if found is None:
            raise Unreadable(NO_AMOUNT)
        return _signed(found, _text(element, "CdtDbtInd"))

    def _money(self, element: etree._Element | None) -> Money | None:
        if element is None:
            return None
        try:
            amount, currency = Decimal((element.text or "").strip()), str(element.get("Ccy", "")).strip().upper()
            return values.money(amount, currency, self.notes) if amount.is_finite() else None
        except (InvalidOperation, ValueError):
            return None

    def _detail(self, element: etree._Element, whole: Money, *, returned: bool) -> Detail:
        sign = _text(element, "CdtDbtInd") or ("DBIT" if whole.minor < 0 else "CRDT")
        given = self._money(element.find(_path("Amt"))) or self._money(element.find(_path("AmtDtls/TxAmt/Amt")))
        # A returned payment keeps its parties: the counterparty of a reversed credit is who had paid.
        name, iban = _party(element, debtor=(sign == "CRDT") != returned)
        return Detail(
            amount=_signed(given, sign) if given is not None else None,
            name=name,
            iban=iban,
            text=_remittance(element),
            end_to_end_id=_reference(element, "Refs/EndToEndId"),
            mandate=_reference(element, "Refs/MndtId"),
        )


def _account(element: etree._Element) -> tuple[str, str]:
    """IBAN, and what stands there instead of one; an IBAN in the place for other numbers is one when it is proven."""
    if iban := _text(element, "Acct/Id/IBAN"):
        return "".join(iban.split()).upper(), ""
    other = _text(element, "Acct/Id/Othr/Id") or _text(element, "Acct/Id/PrtryAcct/Id")
    return values.shaped_iban(other), other


def _currency(
    element: etree._Element, closing: Balance | None, opening: Balance | None, entries: Sequence[Entry]
) -> str:
    stated = _text(element, "Acct/Ccy").upper()
    if re.fullmatch("[A-Z]{3}", stated):
        return stated
    balance = closing or opening
    if balance is not None:
        return balance.amount.currency
    other = element.find(_path("Bal/Amt"))
    if other is not None and re.fullmatch("[A-Z]{3}", str(other.get("Ccy", ""))):
        return str(other.get("Ccy"))
    return entries[0].amount.currency if entries else "EUR"


def _party(element: etree._Element, *, debtor: bool) -> tuple[str, str]:
    """Name and account of the other side: who paid (``debtor``), or who was paid."""
    side = "Dbtr" if debtor else "Cdtr"
    names = (f"{side}/Pty/Nm", f"{side}/Nm", f"Ultmt{side}/Pty/Nm", f"Ultmt{side}/Nm", f"{side}/Agt/FinInstnId/Nm")
    name = next(filter(None, (_text(element, f"RltdPties/{one}") for one in names)), "")
    accounts = (f"{side}Acct/Id/IBAN", f"{side}Acct/Id/Othr/Id")
    iban = next(filter(None, (_text(element, f"RltdPties/{one}") for one in accounts)), "")
    return values.one_line(name), "".join(iban.split())


def _remittance(element: etree._Element) -> str:
    free = " ".join(_texts(element, "RmtInf/Ustrd"))
    if free.strip():
        return values.one_line(free)
    structured = [
        *_texts(element, "RmtInf/Strd/CdtrRefInf/Ref"),
        *_texts(element, "RmtInf/Strd/RfrdDocInf/Nb"),
        *_texts(element, "RmtInf/Strd/AddtlRmtInf"),
    ]
    return values.one_line(" ".join(structured) or _text(element, "AddtlTxInf"))


def _code(element: etree._Element) -> str:
    domain = [_text(element, f"BkTxCd/Domn/{one}") for one in ("Cd", "Fmly/Cd", "Fmly/SubFmlyCd")]
    return "/".join(filter(None, domain)) or _text(element, "BkTxCd/Prtry/Cd")


def _signed(amount: Money, indicator: str) -> Money:
    return Money(-amount.minor, amount.currency) if indicator == "DBIT" else amount


def _reference(element: etree._Element | None, path: str) -> str:
    text = values.one_line(_text(element, path))
    return "" if text.upper() in _NOT_GIVEN else text


def _day(element: etree._Element, path: str) -> date | None:
    """The calendar date of an ISODate or ISODateTime, as the bank wrote it."""
    try:
        return date.fromisoformat(_text(element, path)[:10])
    except ValueError:
        return None


def _text(element: etree._Element | None, path: str) -> str:
    if element is None:
        return ""
    found = element.find(_path(path))
    return (found.text or "").strip() if found is not None else ""


def _texts(element: etree._Element, path: str) -> Iterator[str]:
    return (one.text or "" for one in element.iterfind(_path(path)))


@cache
def _path(path: str) -> str:
    return "/".join(f"{{*}}{name}" for name in path.split("/"))
