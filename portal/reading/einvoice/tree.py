"""An e-invoice as EN 16931-1 sees it: groups (BG-n) of terms (BT-n), whatever the syntax they were written in.

A syntax is one ``Shape``: where each term and group stands, as XPath relative to its group. ``read`` walks it once.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import Any

from lxml import etree

from portal.reading.xml import hits

_NUMBER = re.compile(r"[+-]?(\d{1,20}(\.\d{0,20})?|\.\d{1,20})")
_DAY = re.compile(r"(\d{4})-?(\d{2})-?(\d{2})(?:[T ].*|Z|[+-]\d{2}:\d{2}|\d{4}(?:\d{2})?)?")


@dataclass(frozen=True)
class Term:
    """One value as it is written; ``element`` holds it (or the attribute that it is)."""

    value: str
    element: etree._Element

    def attribute(self, name: str) -> str | None:
        """An attribute beside the value: ``schemeID``, ``currencyID``, …; None when it is not there."""
        found = self.element.get(name)
        return str(found).strip() if found is not None else None

    @property
    def xpath(self) -> str:
        """Where it stands in its document."""
        return str(self.element.getroottree().getpath(self.element))

    @property
    def number(self) -> Decimal | None:
        """The exact number that is written, in the notation of XML Schema; None when it is none."""
        return number(self.value)

    @property
    def day(self) -> date | None:
        """The date that is written; None when it is none."""
        return day(self.value)


def number(text: str) -> Decimal | None:
    """An exact decimal in the notation of XML Schema (no exponent, no grouping)."""
    return Decimal(text) if _NUMBER.fullmatch(text) else None


def day(text: str) -> date | None:
    """A date as ISO 8601 writes it, with or without dashes; a time behind it is left out."""
    found = _DAY.fullmatch(text)
    try:
        return date(*(int(part) for part in found.group(1, 2, 3))) if found else None
    except ValueError:
        return None


class Shape:
    """Where the terms and groups of one group stand. Paths are XPath 1.0; a group's are relative to its element."""

    def __init__(
        self, path: str, terms: Mapping[str, str], groups: Mapping[str, Shape], prefixes: Mapping[str, str]
    ) -> None:
        self.path = etree.XPath(path, namespaces=dict(prefixes))
        self.terms = {name: etree.XPath(where, namespaces=dict(prefixes)) for name, where in terms.items()}
        self.groups = dict(groups)

    def read(self, name: str, element: etree._Element) -> Group:
        """The group with everything below it."""
        group = Group(name, element)
        for term, find in self.terms.items():
            if found := [one for one in map(_term, hits(element, find)) if one is not None]:
                group.terms[term] = found
        for below, shape in self.groups.items():
            group.groups[below] = [shape.read(below, hit) for hit in hits(element, shape.path)]
        return group


def _term(hit: Any) -> Term | None:
    """An element or attribute as a term. An empty one counts as absent (EN 16931-1, 6.2: no empty elements)."""
    if isinstance(hit, str):
        value, element = str(hit).strip(), hit.getparent()  # type: ignore[attr-defined]
    else:
        value, element = (hit.text or "").strip(), hit
    return Term(value, element) if value else None


@dataclass(eq=False)
class Group:
    """A group with its terms, each in the order of the document."""

    name: str
    element: etree._Element
    terms: dict[str, list[Term]] = field(default_factory=dict)
    groups: dict[str, list[Group]] = field(default_factory=dict)

    def term(self, name: str) -> Term | None:
        """The first term of that name."""
        found = self.terms.get(name)
        return found[0] if found else None

    def all(self, name: str) -> list[str]:
        """All values of a term."""
        return [term.value for term in self.terms.get(name, ())]

    def text(self, name: str) -> str:
        """The first value of a term; empty when there is none."""
        term = self.term(name)
        return term.value if term else ""

    def number(self, name: str) -> Decimal | None:
        """The first value of a term as a number; None when there is none or it is no number."""
        term = self.term(name)
        return term.number if term else None

    def day(self, name: str) -> date | None:
        """The first value of a term as a date."""
        term = self.term(name)
        return term.day if term else None

    def has(self, name: str) -> bool:
        """Whether the term or group is there."""
        return bool(self.terms.get(name) or self.groups.get(name))

    def of(self, name: str) -> list[Group]:
        """The groups of that name directly below."""
        return self.groups.get(name, [])

    def one(self, name: str) -> Group:
        """The first group of that name; an empty one when there is none."""
        found = self.groups.get(name)
        return found[0] if found else Group(name, self.element)

    @cached_property
    def everything(self) -> list[Group]:
        """This group and all below it, in order."""
        return [self, *(each for groups in self.groups.values() for group in groups for each in group.everything)]

    def find(self, name: str) -> Iterator[tuple[Group, Term]]:
        """Every term of that name in this group and below, with the group it stands in."""
        return ((group, term) for group in self.everything for term in group.terms.get(name, ()))
