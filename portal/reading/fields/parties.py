"""Who sells and who buys: names at their labels, in the sender's line, over the address, beside VAT id and web site."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from portal.reading.fields.labels import BUYER, OTHERS, SELLER, Seen
from portal.reading.fields.ranking import Choice, Ranked, best
from portal.reading.words import Cell, Page, squeeze

LEGAL = re.compile(
    r"(?<![A-Za-z0-9])(?:(?i:GmbH(?:\s?&\s?Co\.?\s?KG(?:aA)?)?|OHG|GbR|Ltd\.?|Limited|L\.?L\.?C\.?|Inc\.?"
    r"|Corp\.?|Corporation|LLP|Pty|Pvt|S\.?A\.?R\.?L\.?"
    r"|SDN\.?\s?BHD\.?|S/B|BHD|(?:Enterprise|Trading)(?=\s*(?:$|\(|S\w*\s?B))|Versicherungsverein|Stiftung"
    r"|e\.\s?K\.|e\.\s?Kfm\.?|e\.\s?V\.|a\.\s?G\.)"
    r"|mbH|AG(?:\s?&\s?Co\.?\s?KG)?|KG|UG|eG|SE|PartG(?:\s?mbB)?|PLC|plc|B\.?\s?V\.|BV|N\.?\s?V\.|NV|SAS"
    r"|S\.A\.|S\.?p\.?A\.?|S\.?r\.?l\.?|S\.L\.|ApS|A/S|AB|Oy|Sp\.\s?z\s?o\.?\s?o\.?)"
    r"(?![A-Za-z0-9])"
)
_POSTAL = re.compile(
    r"(?:(?<![\d.,-])(?:[A-Z]{1,2}[- ])?\d{4,5}\s?[A-ZÄÖÜ][A-Za-zÄÖÜäöüß.\-/()]{2,}"
    r"|\b\d{4}\s?[A-Z]{2}\s+[A-Z][a-z]+|,?\s[A-Z]{2},?\s\d{5}\b|\b[A-Z]{1,2}\d[A-Z\d]?\s\d[A-Z]{2}\b)"
)
_STREET = re.compile(
    (
        r"(?:stra(?:ß|ss)e|str\.|weg|platz|allee|gasse|ring|damm|ufer|chaussee|street|road|avenue"
        r"|ave\b|lane|drive"
        r"|\brue\b|chemin|jalan|jln|lot\b|taman|\bst\b|\bblvd|\bway\b|\bno\.?\s?\d)"
    ),
    re.IGNORECASE,
)
_SEPARATED = re.compile(r"\s*[●•·|∙*▪■–—]\s*|\s+-\s+|\s*,\s+|\s{2,}")
_NOT_A_NAME = re.compile(
    (
        r"rechnung|nummer|\.(?:com|de|net|at|eu)\b|\bkunden?-?(?:nr|daten)|gutschrift|datum|betrag"
        r"|@|https?:|www\."
        r"|stylesheet|qualifizierung|amtsgericht|registergericht|geschäftsführ|anwendungsempf"
        r"|beschreibung"
        r"|\bzahl(?:ung|bar)"
        r"|\b(?:invoice|date|number|nr|no|seite|page|tel|telefon|telephone|phone|fax|fon|mobil"
        r"|e-?mail|iban|bic"
        r"|swift|ust|ust-?id\w*|vat|steuer-?n\w*|steuern?|tax|gst|gln|gtin|konto\w*|bank"
        r"|bankverbindung|total"
        r"|summe|amount|bestell\w*|liefer(?:ung|schein|datum|adresse|anschrift|bedingung)\w*"
        r"|order|your|ihre?|unsere?|receipt|bill|welcome|thank|thanks|copyright|powered|payment"
        r"|version|währung"
        r"|currency|id|geehrte\w*|hiermit|vielen dank|statement|quantity|menge|artikel|postfach"
        r"|vorstand|uhr"
        r"|deutschland|germany|österreich|united (?:states|kingdom)|france|nederland|copy|kopie"
        r"|duplicate"
        r"|facture|factuur|quittung|beleg|kasse|original|hra|hrb|mo|opening|hours|öffnungszeiten"
        r"|betreff"
        r"|inh|inhaber(?:in)?"
        r"|bemerkung\w*|inhalt|referenz|reference)\b"
    ),
    re.IGNORECASE,
)
_PERSONAL = re.compile(
    r"^(?:an\s+)?(?:herrn?|frau|firma|fa\.|mr\.?|mrs\.?|ms\.?|familie|eheleute)\s*(?:und frau)?\s*", re.IGNORECASE
)
_DOMAIN = re.compile(r"(?:@|www\.|https?://(?:www\.)?)([a-z0-9äöüß\-]+(?:\.[a-z0-9\-]+)*)\.[a-z]{2,6}", re.IGNORECASE)
_BANK = re.compile(r"bank\b|sparkasse|raiffeisen|kreditinstitut|\bbic\b", re.IGNORECASE)
_MAILERS = frozenset("gmail gmx web yahoo hotmail outlook t-online aol icloud example localhost".split())
_GREETING = re.compile(
    r"^(kauf|dienst|waren|handels)?(rechnung|invoice|taxinvoice|simplifiedtaxinvoice|receipt|quittung"
    r"|cashreceipt|officialreceipt|taxinvoicecopy|cashbill|kassenbon|kundenbeleg|welcometo|copy|duplicate"
    r"|reprint|bill)$"
)


@dataclass(frozen=True)
class Parties:
    """The seller and the buyer, by name."""

    seller: Choice[str] | None = None
    buyer: Choice[str] | None = None


@dataclass(frozen=True)
class Hint:
    """A place (page and row) where something of the seller's own stands: VAT id, IBAN."""

    page: int
    row: int
    left: float


def choose(pages: Sequence[Page], hints: Sequence[Hint], *, receipt: bool) -> Parties:
    """Seller and buyer of a document; a receipt has its seller on top and mostly no buyer."""
    if not pages:
        return Parties()
    look = _Look(pages, hints, receipt=receipt)
    sellers, buyers = _together(look.sellers()), _together(look.buyers())
    seller, buyer = _pair(sellers, buyers)
    return Parties(
        _best_but(sellers, buyer, 0.5) if seller else None, _best_but(buyers, seller, 0.9) if buyer else None
    )


def _pair(sellers: Sequence[Ranked[str]], buyers: Sequence[Ranked[str]]) -> tuple[str | None, str | None]:
    """The two different names that together have the most evidence."""
    nobody = (None, 0.0)
    first = [nobody, *((squeeze(one.seen.value), one.score) for one in sellers[:8])]
    second = [nobody, *((squeeze(one.seen.value), one.score - 0.8) for one in buyers[:8])]
    pairs = [
        (one[1] + two[1], one[0], two[0])
        for one in first
        for two in second
        if one[0] is None or not _alike(one[0], two[0])
    ]
    _, seller, buyer = max(pairs, key=lambda pair: pair[0])
    return seller, buyer


def _alike(one: str, two: str | None) -> bool:
    return two is not None and (one == two or (len(one) > 5 and one in two) or (len(two) > 5 and two in one))


def _best_but(ranked: Sequence[Ranked[str]], other: str | None, least: float) -> Choice[str] | None:
    return best([one for one in ranked if not _alike(squeeze(one.seen.value), other)], least)


def _together(ranked: Sequence[Ranked[str]]) -> list[Ranked[str]]:
    """The candidates, all mentions of a name as one that has the evidence of its best and some for each other."""
    together: dict[str, Ranked[str]] = {}
    for one in sorted(ranked, key=lambda one: (-one.score, one.seen.key)):
        key = squeeze(one.seen.value)
        if key in together:
            more = together[key]
            together[key] = Ranked(more.seen, more.score + min(0.45 * max(one.score, 0), 0.9))
        elif len(key) > 1:
            together[key] = one
    return sorted(together.values(), key=lambda one: (-one.score, one.seen.key))


def _is_unfinished(name: str, below: str) -> bool:
    """Whether a name seems to go on in the row below: a bracket is open, or there is little more than a legal form."""
    if name.count("(") > name.count(")"):
        return True
    core = [
        word
        for word in LEGAL.sub(" ", re.sub(r"\(M\)|\bCo\b\.?", " ", below, flags=re.IGNORECASE)).split()
        if len(word) > 2
    ]
    begins = squeeze(below).startswith(squeeze(name)[:6])
    return bool(LEGAL.search(below) or "(" in below) and not LEGAL.search(name) and len(core) <= 1 and not begins


class _Look:
    """Looks for names on the first page and, for the seller, at the foot of it."""

    def __init__(self, pages: Sequence[Page], hints: Sequence[Hint], *, receipt: bool) -> None:
        self.page = pages[0]
        self.receipt = receipt
        self.hints = [hint for hint in hints if hint.page == self.page.number]
        self.domains = {
            squeeze(part)
            for page in pages
            for match in _DOMAIN.finditer(page.text)
            for part in match[1].split(".")
            if part.lower() not in _MAILERS and len(part) > 2
        }

    def sellers(self) -> list[Ranked[str]]:
        """Candidates for the seller."""
        found = [*self._labelled(SELLER, 2.6), *self._sender_lines(), *self._lines()]
        found = [one for one in found if not _is_addressed(one.seen)]
        if self.receipt:
            found += self._top()
        return [Ranked(one.seen, one.score + self._own(one.seen)) for one in found]

    def buyers(self) -> list[Ranked[str]]:
        """Candidates for the buyer."""
        return [*self._labelled(BUYER, 2.8), *self._addressees()]

    def _own(self, seen: Seen[str]) -> float:
        """More for a name that the web site or the mail address bears, and one that stands at the VAT id or IBAN."""
        name = squeeze(LEGAL.sub("", seen.value))
        words = [squeeze(word) for word in seen.value.split() if len(squeeze(word)) >= 4]
        score = 0.0
        if any(
            domain == name or (len(domain) > 3 and (domain in name or any(word in domain for word in words)))
            for domain in self.domains
        ):
            score += 1.5
        rows = [
            hint
            for hint in self.hints
            if -2 <= hint.row - seen.cell.row <= 9 and abs(hint.left - seen.cell.place.left) < 0.22 * self.page.width
        ]
        score -= 1.6 if _BANK.search(seen.value) else 0.0
        return score + (0.7 if rows else 0.0) + (0.9 if LEGAL.search(seen.value) else 0.0)

    def _labelled(self, label: re.Pattern[str], worth: float) -> Iterator[Ranked[str]]:
        for cell in self.page.cells:
            head, _, rest = cell.text.partition(":")
            if label.match(squeeze(head)):
                yield from self._at_label(cell, head, rest, worth)

    def _at_label(self, cell: Cell, head: str, rest: str, worth: float) -> Iterator[Ranked[str]]:
        if rest.strip():
            start = len(head) + 1 + len(rest) - len(rest.lstrip())
            yield from self._ranked(cell, start, worth + 0.2)
            return
        right = [one for one in self.page.rows[cell.row] if one.place.left > cell.place.right]
        if (right and not self._under(cell, 1, 2)) or (
            right and right[0].place.left - cell.place.right < 4 * cell.height and ":" in cell.text
        ):
            yield from self._ranked(right[0], 0, worth)
        for place, under in enumerate(self._under(cell, 6, 5)):
            ranked = list(self._ranked(under, 0, worth - 0.15 * place))
            yield from ranked
            if ranked:
                return

    def _under(self, cell: Cell, rows: int, most: int) -> list[Cell]:
        """Cells below a label that begin about where it begins."""
        found: list[Cell] = []
        for row in self.page.rows[cell.row + 1 : cell.row + 1 + 2 * rows]:
            for one in row:
                begins = abs(one.place.left - cell.place.left) < 1.6 * max(cell.height, 8)
                if begins and one.place.top - cell.place.bottom < 2.6 * rows * max(cell.height, 6):
                    found.append(one)
        return found[:most]

    def _ranked(self, cell: Cell, start: int, worth: float) -> Iterator[Ranked[str]]:
        if seen := named(cell, start):
            yield Ranked(seen, worth)

    def _sender_lines(self) -> Iterator[Ranked[str]]:
        """«Muster GmbH · Weg 1 · 12345 Ort»: the line over the address window, or the whole row of it."""
        for row in self.page.rows:
            text = "  ".join(cell.text for cell in row)
            postal = _POSTAL.search(text)
            first = _SEPARATED.split(text.strip())[0].strip()
            if (
                postal
                and first
                and not _POSTAL.search(first)
                and postal.start() > len(first)
                and not _STREET.search(first)
            ):
                cell = row[0]
                if seen := named(cell, 0, len(first) if cell.text.startswith(first) else None):
                    yield Ranked(seen, 2.3)

    def _lines(self) -> Iterator[Ranked[str]]:
        """Any line with a legal form, and names that stand over an address; higher up is better."""
        extent = self.page.extent
        buyers = {id(cell) for cell in self._address_cells()}
        for cell in self.page.cells:
            depth = (cell.place.top - extent.top) / max(extent.bottom - extent.top, 1)
            seen = named(cell, 0)
            if seen is None:
                continue
            legal = LEGAL.search(seen.value)
            if legal and len(seen.value) < 60:
                yield Ranked(
                    seen, 1.0 + 0.5 * (depth < 0.15) + 0.2 * (depth > 0.85) - (1.2 if id(cell) in buyers else 0.0)
                )
            elif depth < 0.35 and self._over_address(cell) and id(cell) not in buyers:
                yield Ranked(seen, 1.1 - depth)
            elif depth < 0.12 and id(cell) not in buyers:
                yield Ranked(seen, 0.55 - depth + min(0.25, (cell.height / 12 - 1) * 0.2))

    def _over_address(self, cell: Cell) -> bool:
        return any(_POSTAL.search(one.text) or _STREET.search(one.text) for one in self._under(cell, 3, 3))

    def _top(self) -> Iterator[Ranked[str]]:
        """The first lines of a receipt, until its address begins; a name may be set wide or over two lines."""
        place = 0
        for row in self.page.rows[:8]:
            whole = Cell(tuple(word for cell in row for word in cell.words), self.page.number, row[0].row)
            seen = named(whole, 0) if self._is_one_line(row) else None
            if seen is not None and not _GREETING.match(squeeze(whole.text)) and self._may_be_shop(seen.value):
                worth = 2.2 - 0.45 * place - (0.6 if len(squeeze(seen.value)) < 4 else 0.0)
                yield Ranked(seen, worth)
                if (longer := self._with_legal_form(whole)) is not None:
                    yield Ranked(longer, worth + 0.5)
                place += 1
            if place and any(_POSTAL.search(cell.text) or self._is_street(cell.text) for cell in row):
                return

    def _is_one_line(self, row: Sequence[Cell]) -> bool:
        """Whether the cells of a row are words set wide rather than columns."""
        gaps = (two.place.left - one.place.right for one, two in pairwise(row))
        return all(gap < 3 * row[0].height for gap in gaps)

    def _with_legal_form(self, cell: Cell) -> Seen[str] | None:
        """The name with up to two more rows, when they end it: «Enterprise Sdn Bhd», «GmbH & Co. KG»."""
        words = cell.words
        for row in self.page.rows[cell.row + 1 : cell.row + 3]:
            text = " ".join(one.text for one in row)
            if not _is_unfinished(" ".join(word.text for word in words), text):
                return None
            words += tuple(word for one in row for word in one.words)
            whole = Cell(words, cell.page, cell.row)
            if LEGAL.search(text) and whole.text.count("(") == whole.text.count(")"):
                return named(whole, 0)
        return None

    def _may_be_shop(self, name: str) -> bool:
        digits, letters = sum(char.isdigit() for char in name), sum(char.isalpha() for char in name)
        return letters >= 2 and digits <= letters and not self._is_street(name)

    def _is_street(self, text: str) -> bool:
        return bool(_STREET.search(text) and re.search(r"\d", text)) and not LEGAL.search(text)

    def _addressees(self) -> Iterator[Ranked[str]]:
        """Names over an address in the upper half; in the block of a company, the person comes second."""
        for block in self._blocks():
            begin = next((place for place, cell in enumerate(block) if _PERSONAL.match(cell.text)), 0)
            yield from self._of_block(block, 0.0)
            if begin:
                yield from self._of_block(block[begin:], -0.3)

    def _of_block(self, block: Sequence[Cell], more: float) -> Iterator[Ranked[str]]:
        names = [cell for cell in block[:-1] if named(cell, 0)]
        if not names or self.receipt:
            return
        first = names[1] if _PERSONAL.fullmatch(names[0].text.strip()) and len(names) > 1 else names[0]
        depth = (first.place.top - self.page.extent.top) / max(self.page.extent.bottom - self.page.extent.top, 1)
        left = first.place.left < 0.45 * self.page.width
        personal = any(_PERSONAL.match(cell.text) for cell in block[:3])
        if depth < 0.5:
            yield from self._ranked(first, 0, 1.2 + more + 0.4 * left + 0.8 * personal - 0.4 * (depth < 0.08))

    def _blocks(self) -> Iterator[list[Cell]]:
        """Lines that begin at one edge and end with a postal code and a place; the sender's own line is none."""
        for cell in self.page.cells:
            if not re.match(
                r"(?:[A-Z]{1,2}[- ])?\d{4,5}\s?[A-ZÄÖÜ]|.*,?\s[A-Z]{2},?\s\d{5}|\d{4}\s?[A-Z]{2}\s", cell.text
            ):
                continue
            lines = [cell]
            for row in reversed(self.page.rows[max(0, cell.row - 12) : cell.row]):
                over = next(
                    (one for one in row if abs(one.place.left - cell.place.left) < 1.2 * max(cell.height, 8)), None
                )
                if over is None:
                    continue
                gap = lines[-1].place.top - over.place.bottom
                if (
                    gap > 2.2 * cell.height
                    or len(lines) > 6
                    or OTHERS.match(squeeze(over.text))
                    or re.search(r"[●•·|∙]|\s-\s.*\s-\s", over.text)
                    or over.text.strip().endswith(":")
                ):
                    break
                lines.append(over)
            if len(lines) > 1:
                yield lines[::-1]

    def _address_cells(self) -> list[Cell]:
        return [
            cell for block in self._blocks() for cell in block if any(_PERSONAL.match(one.text) for one in block[:2])
        ]


def _is_addressed(seen: Seen[str]) -> bool:
    """Whether the buyer's label is in front of a name: «Bill to: Muster GmbH»."""
    head, colon, _name = seen.cell.text.partition(":")
    return bool(colon) and seen.start <= len(head) and bool(BUYER.match(squeeze(head)))


_TAIL = re.compile(
    (
        r"\s+(?:Tel|Fax|GLN|USt|VAT|Inh(?:aber(?:in)?)?)\b.*|\s*[|●•·∙].*|\s\(\w*\s?(?:no|reg).*|\s{2,}.*|\s*\(?\d{5,7}\s?-\s?[A-Z]\b\)?.*"
    ),
    re.IGNORECASE,
)
_HOUSE = re.compile(r".*[A-Za-zß.]\s\d{1,4}\s?[a-z]?(?:\s?[-/]\s?\d{1,4}\s?[a-z]?)?$|^\d{1,5}[A-Za-z]?[,\s].*")


def named(cell: Cell, start: int, end: int | None = None) -> Seen[str] | None:
    """The name in a cell from ``start``, without titles and what follows it; None when it cannot be one."""
    stripped = _TAIL.sub("", cell.text[start:end]).strip(" ,;:-*#|_~'\"")
    letters = sum(char.isalpha() for char in stripped)
    if letters < 2 or len(stripped) > 80 or letters < 0.5 * len(stripped.replace(" ", "")):
        return None
    if not LEGAL.search(stripped) and (
        _NOT_A_NAME.search(stripped) or _POSTAL.search(stripped) or _HOUSE.match(stripped)
    ):
        return None
    if cell.text[start:].strip().endswith(":"):
        return None
    at = cell.text.index(stripped, start)
    return Seen(stripped, cell, at, at + len(stripped))
