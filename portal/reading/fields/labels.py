"""What the words before, left of and above a value say it is: roles, found by labels in German, English and neighbours.

Labels are looked for in squeezed text (no blanks, signs, accents). A text is cut into labels from left to right and the
one that stands nearest to the value counts most, so that «Summe inkl. USt» is a total and no tax.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Generic, TypeVar

from portal.reading.words import Cell, Page, squeeze

T = TypeVar("T")

# Squeezed labels of a party: the seller, the buyer, and whoever is neither.
SELLER = re.compile(
    r"^(verkaufer(in)?|rechnungs(er)?steller|rechnungsersteller|lieferant|leistungserbringer|auftragnehmer"
    r"|seller|vendor|supplier|from|von|soldby|serviceprovider|issuedby|billedby|absender|firma|payee"
    r"|beneficiary|verkoper|vendeur|fournisseur|zahlungsempfanger|rechnungvon|remitto|biller|merchant)$"
)
BUYER = re.compile(
    r"^(kaufer(in)?(leistungsempfanger)?|rechnungs(empfanger|anschrift|adresse)|rechnungan|leistungsempfanger"
    r"|kunde|auftraggeber|buyer|billto(address)?|billedto|invoiceto|invoicedto|soldto|customer(name)?|client"
    r"|bestto|chargeto|to|an|factuuradres|klant|acheteur|factureea|adressedefacturation|billingaddress"
    r"|invoiceaddress|besteller|debitor|debtor|empfanger|guestname|attn)$"
)
OTHERS = re.compile(
    r"^(waren|liefer|shipto|shipping|delivery|abweichender?(warenempfanger|zahlungsempfanger"
    r"|rechnungsempfanger)?|warenempfanger|lieferanschrift|lieferadresse|afleveradres|adressedelivraison"
    r"|serviceaddress|remitto)"
)


class Where(IntEnum):
    """How a label stands to its value."""

    INLINE = 0  # before it, in the same cell
    LEFT = 1  # in the same row
    ABOVE = 2  # right over it
    HEADER = 3  # over its column


@dataclass(frozen=True)
class Seen(Generic[T]):
    """A value as it is printed: characters ``start`` to ``end`` of a cell."""

    value: T
    cell: Cell
    start: int
    end: int

    @property
    def printed(self) -> str:
        """Its characters."""
        return self.cell.text[self.start : self.end]

    @property
    def key(self) -> tuple[int, int, float, int]:
        """Its place in reading order."""
        return self.cell.page, self.cell.row, self.cell.place.left, self.start


@dataclass(frozen=True)
class Said:
    """What one label says: a role, how strongly (0 to 1), and from where."""

    role: str
    strength: float
    where: Where


class Roles:
    """Labels of one sort of value: for each role patterns of squeezed text with their strength, the special first."""

    def __init__(self, patterns: Sequence[tuple[str, float, str]]) -> None:
        self._meaning = [(role, strength) for role, strength, _ in patterns]
        self._pattern = re.compile("|".join(f"(?P<r{place}>{one[2]})" for place, one in enumerate(patterns)))

    def heard(self, context: str, where: Where, factor: float) -> list[Said]:
        """What a squeezed text says about the value that follows it."""
        said = []
        for match in self._pattern.finditer(context):
            role, strength = self._meaning[int((match.lastgroup or "r0")[1:])]
            said.append(Said(role, factor * strength * _nearness(len(context) - match.end()), where))
        return [replaced(one, 1.0 if one is said[-1] else 0.6) for one in said]


def replaced(said: Said, factor: float) -> Said:
    """The same, weaker."""
    return Said(said.role, said.strength * factor, said.where)


def _nearness(letters: int) -> float:
    return 1.0 if letters <= 4 else 0.9 if letters <= 12 else 0.65 if letters <= 30 else 0.35


class Sheet(Generic[T]):
    """All values of one sort on the pages, so that a label is not heard across another value.

    ``apart``: words above that span several values are told apart, one for each, as in «Ordered  Invoiced».
    """

    def __init__(self, pages: Sequence[Page], seen: Sequence[Seen[T]], *, apart: bool = False) -> None:
        self.pages = pages
        self.apart = apart
        self.seen = sorted(seen, key=lambda one: one.key)
        self._in_cell: dict[int, list[Seen[T]]] = {}
        for one in self.seen:
            self._in_cell.setdefault(id(one.cell), []).append(one)
        self._rows = {(page.number, number): row for page in pages for number, row in enumerate(page.rows)}

    def roles(self, one: Seen[T], roles: Roles, *, deep: bool = False) -> Mapping[str, Said]:
        """The strongest that is said for each role. ``deep``: headers of columns speak, too."""
        strongest: dict[str, Said] = {}
        for said in self._said(one, roles, deep=deep):
            if said.role not in strongest or said.strength > strongest[said.role].strength:
                strongest[said.role] = said
        return strongest

    def _said(self, one: Seen[T], roles: Roles, *, deep: bool) -> list[Said]:
        inline = self.inline(one)
        said = roles.heard(squeeze(inline), Where.INLINE, 1.0)
        speaks = sum(char.isalpha() for char in inline) >= 4
        if not said or not speaks:
            left = "" if speaks else self.left(one)
            said += roles.heard(squeeze(left + " " + inline), Where.LEFT, 0.95) if left else []
        listed = deep and not said and (speaks or self._row_speaks(one))
        if (not said or deep) and not listed:
            said += roles.heard(squeeze(self.above(one)), Where.ABOVE, 0.8)
        if not said and not speaks and deep:
            said += roles.heard(squeeze(self._row_before(one)), Where.ABOVE, 0.75)
        if deep and not listed:
            said += roles.heard(squeeze(self.header(one)), Where.HEADER, 0.7)
        return said

    def _row_speaks(self, one: Seen[T]) -> bool:
        """Whether words begin its row, as they do where things are listed: its header then only says «amounts»."""
        return sum(char.isalpha() for char in self.left(one)) >= 4

    def _row_before(self, one: Seen[T]) -> str:
        """The words of the row above, when it has no value and this row has no words: a label broken off its value."""
        row = self._rows[one.cell.page, one.cell.row]
        before = self._rows.get((one.cell.page, one.cell.row - 1), ())
        if any(char.isalpha() for cell in row for char in cell.text) or any(
            id(cell) in self._in_cell for cell in before
        ):
            return ""
        return " ".join(cell.text for cell in before)

    def inline(self, one: Seen[T]) -> str:
        """The text of its cell between the value before and this one."""
        before = [other.end for other in self._in_cell[id(one.cell)] if other.end <= one.start]
        return one.cell.text[max(before, default=0) : one.start]

    def left(self, one: Seen[T]) -> str:
        """The nearest words to its left in its row, over values of the same sort if they stand between."""
        row = self._rows[one.cell.page, one.cell.row]
        place = next(index for index, cell in enumerate(row) if cell is one.cell)
        words: list[str] = []
        for cell in reversed(row[:place]):
            words.insert(0, self._without_values(cell))
            if sum(char.isalpha() for char in "".join(words)) >= 4:
                break
        return " ".join(words)

    def _without_values(self, cell: Cell) -> str:
        text, end = "", 0
        for one in self._in_cell.get(id(cell), ()):
            text, end = text + cell.text[end : one.start], one.end
        return text + cell.text[end:]

    def above(self, one: Seen[T], rows: int = 2) -> str:
        """The words right over the value, unless another value of its sort stands between."""
        for cell in self._over(one, rows):
            if id(cell) in self._in_cell:
                return ""
            if any(char.isalpha() for char in cell.text):
                return self._own_words(one, cell)
        return ""

    def _own_words(self, one: Seen[T], cell: Cell) -> str:
        """What a cell above says of a value: all of it, or the words right over it where it spans several values."""
        row = self._rows[one.cell.page, one.cell.row]
        values = [each for below in row for each in self._in_cell.get(id(below), ())]
        places = [each.cell.placed(each.start, each.end) for each in values]
        spanned = [place for place in places if cell.place.left < place.right and place.left < cell.place.right]
        if not self.apart or len(spanned) < 2:
            return cell.text
        mine = one.cell.placed(one.start, one.end)
        words = [word for word in cell.words if word.place.left < mine.right and mine.left < word.place.right]
        return " ".join(word.text for word in words)

    def header(self, one: Seen[T], rows: int = 45) -> str:
        """The head of its column: the first words above it that overlap it, over values of the same sort."""
        passed = False
        for cell in self._over(one, rows):
            passed = passed or id(cell) in self._in_cell
            if passed and id(cell) not in self._in_cell and sum(char.isalpha() for char in cell.text) >= 2:
                return cell.text
        return ""

    def _over(self, one: Seen[T], rows: int) -> list[Cell]:
        place = one.cell.placed(one.start, one.end)
        found = []
        for number in range(one.cell.row - 1, max(one.cell.row - 1 - rows, -1), -1):
            for cell in self._rows[one.cell.page, number]:
                overlap = min(cell.place.right, place.right) - max(cell.place.left, place.left)
                near = place.top - cell.place.bottom < 3.0 * max(one.cell.height, 6) or rows > 5
                if overlap > 0.3 * min(place.right - place.left, cell.place.right - cell.place.left) and near:
                    found.append(cell)
        return found
