"""Field 86 of MT940: what a movement was about. Three ways to write it are read, anything else stays text.

* German banks: a code of three digits and subfields ``?20`` (DFÜ agreement of the German banking industry, annex 3)
* Dutch and other banks: ``/EREF/…/NAME/…/REMI/…``
* free text
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from portal.banking.statements import values

# SEPA fields inside the purpose lines, e.g. «EREF+…MREF+…SVWZ+…».
_SEPA = re.compile(r"(EREF|KREF|MREF|CRED|DEBT|COAM|OAMT|SVWZ|ABWA|ABWE|BREF|RREF|PURP|ANAM)\+")
_CODED = re.compile(r"(\d{3})([?>~@|^<&])(?=\d\d)")
_PURPOSE = frozenset(f"{number:02}" for number in (*range(20, 30), *range(60, 64)))
_KNOWN = _PURPOSE | frozenset("00 10 30 31 32 33 34 35 36 37 38 70 71".split())
_SLASHED = re.compile(
    r"/(TRCD|EREF|MARF|CSID|IBAN|BIC|NAME|REMI|ORDP|BENM|CNTP|RTRN|PREF|KREF|CREF|ISDT|SVCL|PURP|ULTD|ULTC|ULTB|ADDR"
    r"|ID|EXCH|CHGS|OCMT|SVWZ|MREF|CRED)/"
)
_IBAN = re.compile(r"\b[A-Z]{2}\d{2}[A-Z0-9]{11,30}\b")
_LABELLED_NAME = re.compile(r"(?:/|\b)(?:NAAM|NAME|NOM):\s*([^/\n]+)", re.IGNORECASE)
_WRAP = 60  # lines of 65 characters are cut in the middle of words


@dataclass(frozen=True, kw_only=True)
class Said:
    """What field 86 says; empty where it does not."""

    code: str = ""
    posting: str = ""
    name: str = ""
    iban: str = ""
    text: str = ""
    reference: str = ""
    end_to_end_id: str = ""
    mandate: str = ""


def read(texts: Sequence[str], account: str, reference: str, supplement: str) -> Said:
    """Read the fields 86 of a movement, with the references of its field 61 for what they lack.

    ``account`` is the own one, so that it is not taken for the counterparty's.
    """
    joined = "\n".join(texts)
    flat = joined.replace("\n", "")
    coded = _CODED.match(flat)
    if coded:
        return _coded(flat, coded[1], coded[2])
    if len(_SLASHED.findall(flat)) >= 2:
        return _slashed(flat)
    return _free(joined, account, reference, supplement)


def _coded(flat: str, code: str, mark: str) -> Said:
    fields = _subfields(flat[3:], mark)
    purpose = "".join(text for number, text in fields if number in _PURPOSE)
    by_number = dict(reversed(fields))
    sepa = _sepa(purpose)
    iban = by_number.get("38") or by_number.get("31", "")
    name = by_number.get("32", "") + by_number.get("33", "")
    return Said(
        code=code,
        posting=values.one_line(by_number.get("00", "")),
        name=values.one_line(name),
        iban="".join(iban.split()),
        text=values.one_line(sepa.get("SVWZ") or sepa.get("", "") or purpose),
        end_to_end_id=_given(sepa.get("EREF", "")),
        mandate=_given(sepa.get("MREF", "")),
    )


def _subfields(text: str, mark: str) -> list[tuple[str, str]]:
    """Pairs of number and text; a mark in front of anything but a known number is text."""
    parts: list[tuple[str, str]] = []
    for piece in text.split(mark)[1:]:
        if piece[:2] in _KNOWN:
            parts.append((piece[:2], piece[2:]))
        elif parts:
            parts[-1] = (parts[-1][0], parts[-1][1] + mark + piece)
    return parts


def _sepa(purpose: str) -> Mapping[str, str]:
    """The SEPA fields by name; what stands before the first is under the empty name."""
    pieces = _SEPA.split(purpose)
    found = {"": pieces[0]}
    for name, text in zip(pieces[1::2], pieces[2::2], strict=True):
        found.setdefault(name, text)
    return found


def _slashed(flat: str) -> Said:
    pieces = _SLASHED.split(flat)
    found: dict[str, str] = {}
    for name, text in zip(pieces[1::2], pieces[2::2], strict=True):
        if text.strip("/ "):
            found.setdefault(name, text.strip())
    name, iban = found.get("NAME", ""), found.get("IBAN", "")
    if party := found.get("CNTP"):  # IBAN, BIC, name and town in one, each behind a slash
        iban, _bic, name, *_ = [*party.split("/"), "", "", ""]
    remittance = re.sub(r"^(USTD|STRD)/+|/+$", "", found.get("REMI", found.get("SVWZ", "")))
    structured = re.match(r"(?:CUR|ISO)/([^/]+)", remittance)
    return Said(
        name=values.one_line(name),
        iban=values.proven_iban(iban),
        text=values.one_line(remittance.lstrip("/")) or values.one_line(pieces[0]),
        reference=structured[1].strip() if structured else "",
        end_to_end_id=_given(found.get("EREF", "").rstrip("/ ")),
        mandate=_given(found.get("MARF", found.get("MREF", "")).rstrip("/ ")),
        posting=found.get("TRCD", ""),
    )


def _free(joined: str, account: str, reference: str, supplement: str) -> Said:
    beside = _beside(reference, supplement)
    words = _IBAN.findall(f"{joined} {reference} {supplement}")
    others = {values.proven_iban(word) for word in words} - {"", values.proven_iban(account)}
    name = _LABELLED_NAME.search(joined)
    return Said(
        name=values.one_line(name[1]) if name else beside.name,
        iban=beside.iban or (others.pop() if len(others) == 1 else ""),
        text=values.one_line(_unwrapped(joined)) or values.one_line(supplement),
    )


def _beside(reference: str, supplement: str) -> Said:
    """What Dutch banks put into field 61: the other account as reference, or the name behind a padded reference."""
    account = values.shaped_iban(reference)
    if account:
        return Said(name=values.one_line(supplement), iban=account)
    name = reference[16:] if len(reference) > 16 and re.search("[A-Za-z]{3}", reference[16:]) else ""
    return Said(name=values.one_line(name))


def _unwrapped(joined: str) -> str:
    """The lines as one text; a line that is full was cut, a shorter one ended by itself."""
    text = ""
    for line in joined.split("\n"):
        text += line if len(line) >= _WRAP else line + " "
    return text


def _given(text: str) -> str:
    text = values.one_line(text)
    return "" if text.upper().replace(" ", "") in {"NOTPROVIDED", "NONREF"} else text
