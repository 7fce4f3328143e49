"""IBANs and VAT ids: what looks like one, and whether its check digits hold (ISO 13616, national rules)."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from stdnum import get_cc_module
from stdnum import iban as iban_rules
from stdnum.eu import vat as eu_vat

from portal.reading.fields.labels import BUYER, Seen
from portal.reading.fields.ranking import Choice, Ranked, best
from portal.reading.findings import Source
from portal.reading.words import Cell, Page, squeeze

# Length by country, from the registry of ISO 13616; only what is seen on invoices here.
_LENGTHS = {
    "AT": 20, "BE": 16, "BG": 22, "CH": 21, "CY": 28, "CZ": 24, "DE": 22, "DK": 18, "EE": 20, "ES": 24, "FI": 18,
    "FR": 27, "GB": 22, "GR": 27, "HR": 21, "HU": 28, "IE": 22, "IT": 27, "LI": 21, "LT": 20, "LU": 20, "LV": 21,
    "MC": 27, "MT": 31, "NL": 18, "NO": 15, "PL": 28, "PT": 25, "RO": 24, "RS": 22, "SE": 24, "SI": 19, "SK": 24,
    "SM": 27, "TR": 26, "UA": 29,
}  # fmt: skip
_IBAN = re.compile(rf"(?<![A-Za-z0-9])(?:{'|'.join(_LENGTHS)})\s?[0-9OIlSB]{{2}}(?:[\s.\-]{{0,2}}[A-Z0-9]){{11,27}}")
# What calls itself an account with a country but is none of the registry: shown, never believed.
_CLAIMED = re.compile(
    r"(?:IBAN|Bank Account|Bankkonto|Account No\.?)\W{0,3}([A-Z]{2}\d{8,30})(?![A-Za-z0-9])", re.IGNORECASE
)
_VAT = re.compile(
    r"(?<![A-Za-z0-9])(?:AT\s?U|BE|BG|CHE|CY|CZ|DE|DK|EE|EL|ES|FI|FR|GB|GR|HR|HU|IE|IT|LT|LU|LV|MT|NL|NO|PL|PT"
    r"|RO|SE|SI|SK|XI)"
    r"[\s\-.]{0,3}[A-Z0-9](?:[\s.\-]?[A-Z0-9]){6,12}(?![A-Za-z0-9])"
)
_VAT_LABEL = re.compile(r"ust|umsatzsteuer|vat|tva|btw|uid|steuerident|taxid|taxreg|mwstnr|ident(ifikations)?n")
_BUYERS = re.compile(
    r"(ihre?|your|uw|client|kunden?|customer|buyer|votre)(ust|vat|btw|uid|tva|umsatzsteuer)|tvaclient|custvat|empfanger"
)
# Money must not go where check digits say that a digit is wrong; a VAT id is at times printed wrongly.
_UNPROVEN, _UNLIKELY = 0.5, 0.9
_SWAPS = str.maketrans("OIlSB", "01158")


@dataclass(frozen=True)
class Account:
    """An IBAN without blanks, and whether its check digits hold."""

    iban: str
    valid: bool


def accounts(pages: Sequence[Page]) -> list[Ranked[Account]]:
    """All IBANs on the pages, the best first for each; those that are masked by stars are none."""
    found = [one for page in pages for cell in page.cells for one in _accounts(cell, page.source)]
    return found or [one for page in pages for cell in page.cells for one in _claimed(cell)]


def _accounts(cell: Cell, source: Source) -> Iterator[Ranked[Account]]:
    for match in _IBAN.finditer(cell.text):
        printed = match.group()
        length = _LENGTHS[printed[:2]]
        compact = re.sub(r"[^A-Za-z0-9]", "", printed)
        if len(compact) < length or "*" in cell.text[match.start() : match.end() + 2]:
            continue
        account = _mended(compact[:length]) if source is Source.OCR else compact[:length]
        valid = is_iban(account)
        labelled = "iban" in squeeze(cell.text[max(0, match.start() - 30) : match.start()])
        yield Ranked(
            Seen(Account(account, valid), cell, match.start(), _behind(cell.text, match.start(), length)),
            4.0 if valid else 0.9 if labelled else 0.5,
        )


def _claimed(cell: Cell) -> Iterator[Ranked[Account]]:
    for match in _CLAIMED.finditer(cell.text):
        yield Ranked(Seen(Account(match[1].upper(), valid=False), cell, match.start(1), match.end(1)), 0.4)


def _behind(text: str, start: int, letters: int) -> int:
    """The place behind so many letters and digits."""
    at = start
    while letters and at < len(text):
        letters -= text[at].isalnum()
        at += 1
    return at


@lru_cache(maxsize=2048)
def is_iban(text: str) -> bool:
    """Whether the check digits and the country's own rules hold."""
    return bool(iban_rules.is_valid(text))


def _mended(account: str) -> str:
    """The account with letters that OCR mixes up made digits, when that makes the check digits hold."""
    if is_iban(account):
        return account
    tried = account[:2] + account[2:].translate(_SWAPS)
    return tried if is_iban(tried) else account


@dataclass(frozen=True)
class VatId:
    """A VAT id without blanks, and whether the rules of its country hold."""

    number: str
    valid: bool
    buyers: bool = False


def vat_ids(pages: Sequence[Page]) -> list[Ranked[VatId]]:
    """All VAT ids on the pages, with what speaks for each being one."""
    return [one for page in pages for row in page.rows for cell in row for one in _vat_ids(cell, row, page)]


def _vat_ids(cell: Cell, row: Sequence[Cell], page: Page) -> Iterator[Ranked[VatId]]:
    for match in _VAT.finditer(cell.text):
        before = squeeze(cell.text[: match.start()])[-40:] or _left(cell, row)
        labelled = bool(_VAT_LABEL.search(before))
        for printed in _shorter(match.group()):
            number = re.sub(r"[^A-Z0-9]", "", printed)
            valid = is_vat_id(number)
            if valid or (labelled and _looks_right(number)):
                score = (3.0 if valid else 0.6) + (1.0 if labelled else -0.6)
                found = VatId(number, valid, bool(_BUYERS.search(before)) or _is_under_buyer(page, cell))
                yield Ranked(Seen(found, cell, match.start(), match.start() + len(printed)), score)
                break


def _is_under_buyer(page: Page, cell: Cell) -> bool:
    """Whether the lines right above, that begin where the cell begins, begin with «Bill to» or the like."""
    below = cell
    for row in reversed(page.rows[max(cell.row - 16, 0) : cell.row]):
        over = next((one for one in row if abs(one.place.left - cell.place.left) < 1.2 * max(cell.height, 8)), None)
        if over is None:
            continue
        if below.place.top - over.place.bottom > 1.5 * max(cell.height, 8):
            return False
        if BUYER.match(squeeze(over.text.partition(":")[0])):
            return True
        below = over
    return False


def _left(cell: Cell, row: Sequence[Cell]) -> str:
    return squeeze(" ".join(one.text for one in row if one.place.left < cell.place.left)[-40:])


def _shorter(printed: str) -> Iterator[str]:
    """The whole, then without its last groups: what follows an id in running text is not part of it."""
    yield printed
    while " " in printed.strip():
        printed = printed.rsplit(" ", 1)[0]
        if len(printed) > 8:
            yield printed


@lru_cache(maxsize=2048)
def is_vat_id(number: str) -> bool:
    """Whether a number is a VAT id by the rules of its country."""
    if eu_vat.is_valid(number):
        return True
    module = get_cc_module(number[:2], "vat") if number[:2] in {"CH", "GB", "NO"} else None
    return bool(module and (module.is_valid(number) or module.is_valid(number[2:])))


def _looks_right(number: str) -> bool:
    digits = {"DE": 9, "AT": 8, "NL": 11, "FR": 9, "BE": 10, "IT": 11, "ES": 7, "GB": 9, "PL": 10, "LU": 8}
    return sum(char.isdigit() for char in number) >= digits.get(number[:2], 8) and len(number) <= 14


def choose_account(found: Sequence[Ranked[Account]], own: frozenset[str]) -> Choice[str] | None:
    """Where the money goes: an account that is not the reader's own; unsure when its check digits do not hold."""
    ranked = []
    for one in found:
        seen = Seen(one.seen.value.iban, one.seen.cell, one.seen.start, one.seen.end)
        ranked.append(Ranked(seen, one.score - (3.5 if seen.value in own else 0.0)))
    choice = best(first_wins(ranked))
    return replace(choice, most=_UNPROVEN) if choice and not is_iban(choice.value) else choice


def choose_id(found: Sequence[Ranked[VatId]], own: frozenset[str]) -> Choice[str] | None:
    """The seller's VAT id: not the one at «Ihre USt-IdNr.», rather not the reader's own."""
    ranked = []
    for one in found:
        seen = Seen(one.seen.value.number, one.seen.cell, one.seen.start, one.seen.end)
        doubt = (2.0 if one.seen.value.buyers else 0.0) + (0.6 if seen.value in own else 0.0)
        ranked.append(Ranked(seen, one.score - doubt))
    choice = best(first_wins(ranked))
    return replace(choice, most=_UNLIKELY) if choice and not is_vat_id(choice.value) else choice


def first_wins(ranked: Sequence[Ranked[str]]) -> list[Ranked[str]]:
    """Of several that are equally good the one named first and most often stands before the others."""
    order = list(dict.fromkeys(one.seen.value for one in ranked))
    counts = Counter(one.seen.value for one in ranked)
    return [
        Ranked(one.seen, one.score + 0.3 * counts[one.seen.value] - 0.4 * order.index(one.seen.value)) for one in ranked
    ]
