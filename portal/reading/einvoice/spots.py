"""Where in an invoice a rule looks, and how a person finds the place again."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from portal.reading.einvoice.terms import NAMES, PLACES
from portal.reading.einvoice.tree import Group
from portal.reading.findings import Fact, Flag, Level

# A sentence about the invoice, and the same about one line, allowance, … of it (``%(place)s %(index)s``).
Texts = tuple[str, str]


@dataclass(frozen=True, eq=False)
class Spot:
    """A group with the line, allowance, … that it is or stands in; ``place`` is a message id, empty for the invoice."""

    group: Group
    place: str = ""
    index: str = ""

    def flag(self, rule: str, texts: Texts, facts: Mapping[str, Fact], level: Level = Level.ERROR) -> Flag:
        """A flag of a rule here, with the second sentence where there are several such places."""
        if self.place:
            placed = {"place": [self.place], "index": self.index, **facts}
            return Flag(text=texts[1], facts=placed, rule=rule, level=level)
        return Flag(text=texts[0], facts=facts, rule=rule, level=level)


Spots = dict[str, list[Spot]]


def spots(root: Group) -> Spots:
    """All groups of an invoice by name, in the order of the document."""
    found: Spots = defaultdict(list)
    for spot in _walk(Spot(root)):
        found[spot.group.name].append(spot)
    return found


def _walk(spot: Spot) -> Iterator[Spot]:
    yield spot
    for name, groups in spot.group.groups.items():
        for position, group in enumerate(groups, start=1):
            if name in PLACES:
                place, term = PLACES[name]
                yield from _walk(Spot(group, place, group.text(term)[:60] or f"#{position}"))
            else:
                yield from _walk(Spot(group, spot.place, spot.index))


def named(*terms: str) -> dict[str, Fact]:
    """The facts that name terms in a sentence: what they are called, and their numbers."""
    return {"what": [NAMES[term] for term in terms], "term": ", ".join(terms)}
