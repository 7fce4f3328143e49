"""Statement files as banks write them, made from a few values; a test names only what matters to it."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from xml.sax.saxutils import escape

IBAN = "DE89370400440532013000"
SHOP = "DE91100000000123456789"


@dataclass(frozen=True, kw_only=True)
class Moved:
    """One movement; ``amount`` in major units, debits negative."""

    amount: str
    on: date = date(2026, 10, 5)
    name: str = "Bürobedarf Lang"
    iban: str = SHOP
    text: str = "Rechnung 4711"
    end_to_end_id: str = ""
    bank_reference: str = ""
    status: str = "BOOK"


def camt(
    *moved: Moved,
    iban: str = IBAN,
    opening: str | None = "100.00",
    closing: str | None = None,
    since: date = date(2026, 9, 30),
    until: date = date(2026, 10, 31),
    number: str = "10",
    version: str = "053.001.08",
) -> bytes:
    """A CAMT statement of version 2 or 8; ``closing`` follows from the movements unless it is given."""
    root, item = {"052": ("BkToCstmrAcctRpt", "Rpt"), "053": ("BkToCstmrStmt", "Stmt"),
                  "054": ("BkToCstmrDbtCdtNtfctn", "Ntfctn")}[version[:3]]  # fmt: skip
    closing = closing or str(
        Decimal(opening or "0") + sum(Decimal(one.amount) for one in moved if one.status == "BOOK")
    )
    balances = "" if opening is None else _balance("OPBD", opening, since) + _balance("CLBD", closing, until)
    entries = "".join(_entry(one, nested=version.endswith("08")) for one in moved)
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.{version}">'
        f"<{root}><GrpHdr><MsgId>1</MsgId></GrpHdr><{item}><Id>1</Id><LglSeqNb>{number}</LglSeqNb>"
        f"<Acct><Id><IBAN>{iban}</IBAN></Id><Ccy>EUR</Ccy></Acct>{balances}{entries}</{item}></{root}></Document>"
    ).encode()


def _balance(code: str, amount: str, on: date) -> str:
    return (
        f"<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp>{_amount(amount)}<Dt><Dt>{on}</Dt></Dt></Bal>"
    )  # fmt: skip


def _amount(amount: str) -> str:
    sign = "DBIT" if amount.startswith("-") else "CRDT"
    return f'<Amt Ccy="EUR">{amount.lstrip("-")}</Amt><CdtDbtInd>{sign}</CdtDbtInd>'


def _entry(one: Moved, *, nested: bool) -> str:
    side = "Cdtr" if one.amount.startswith("-") else "Dbtr"
    name = f"<Nm>{escape(one.name)}</Nm>"
    party = f"<Pty>{name}</Pty>" if nested else name
    status = f"<Cd>{one.status}</Cd>" if nested else one.status
    reference = f"<AcctSvcrRef>{one.bank_reference}</AcctSvcrRef>" if one.bank_reference else ""
    return (
        f"<Ntry>{_amount(one.amount)}<Sts>{status}</Sts><BookgDt><Dt>{one.on}</Dt></BookgDt>"
        f"<ValDt><Dt>{one.on}</Dt></ValDt>{reference}<BkTxCd><Prtry><Cd>NTRF+166</Cd></Prtry></BkTxCd><NtryDtls><TxDtls>"
        f"<Refs><EndToEndId>{one.end_to_end_id or 'NOTPROVIDED'}</EndToEndId></Refs>"
        f"<RltdPties><{side}>{party}</{side}><{side}Acct><Id><IBAN>{one.iban}</IBAN></Id></{side}Acct></RltdPties>"
        f"<RmtInf><Ustrd>{escape(one.text)}</Ustrd></RmtInf></TxDtls></NtryDtls></Ntry>"
    )


def mt940(
    *moved: Moved,
    account: str = "37040044/532013000",
    opening: str = "100.00",
    closing: str | None = None,
    since: date = date(2026, 9, 30),
    until: date = date(2026, 10, 31),
    number: str = "10/1",
) -> bytes:
    """An MT940 statement as German banks write it."""
    closing = closing or str(Decimal(opening) + sum(Decimal(one.amount) for one in moved))
    lines = [":20:STARTUMS", f":25:{account}", f":28C:{number}", f":60F:{_mt_balance(opening, since)}"]
    for one in moved:
        mark = "DR" if one.amount.startswith("-") else "CR"
        amount = one.amount.lstrip("-").replace(".", ",")
        reference = f"NONREF//{one.bank_reference}" if one.bank_reference else "NONREF"
        lines.append(f":61:{one.on:%y%m%d}{one.on:%m%d}{mark}{amount}N166{reference}")
        purpose = f"EREF+{one.end_to_end_id}?21SVWZ+" if one.end_to_end_id else "SVWZ+"
        lines.append(f":86:166?00UEBERWEISUNG?20{purpose}{one.text}?31{one.iban}?32{one.name}")
    lines += [f":62F:{_mt_balance(closing, until)}", "-", ""]
    return "\r\n".join(lines).encode()


def _mt_balance(amount: str, on: date) -> str:
    return f"{'D' if amount.startswith('-') else 'C'}{on:%y%m%d}EUR{amount.lstrip('-').replace('.', ',')}"


def zipped(files: Sequence[tuple[str, bytes]]) -> bytes:
    """A ZIP of these files."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files:
            archive.writestr(name, content)
    return out.getvalue()
