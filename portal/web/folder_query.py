"""The address of a folder's list: its filter, order and place as query parameters, and back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from flask import url_for
from werkzeug.datastructures import MultiDict

from integrations.contract import DocumentKind
from portal.delivery.models import State
from portal.documents.lists import Filter, Order, Sort
from portal.errors import Invalid, NotFound
from portal.money import parse
from portal.overview.folders import STANDING_STILL, Standing
from portal.web.words import FOLDERS

KEYS = ("q", "since", "until", "least", "most", "state", "instance", "only", "sort")
_SORTS: Mapping[str, Sort] = {
    "arrival": Sort.ARRIVAL,
    "date": Sort.DATE,
    "party": Sort.PARTY,
    "number": Sort.NUMBER,
    "amount": Sort.AMOUNT,
}
_DEFAULT = "-arrival"


def kind_of(folder: str) -> DocumentKind:
    """The kind that lies in a folder of this name; NotFound for any other name."""
    for kind, words in FOLDERS.items():
        if words[0] == folder:
            return kind
    raise NotFound


def folder_of(kind: DocumentKind | None) -> str:
    """The name of the folder in addresses; documents without a kind lie among the others."""
    return FOLDERS[kind or DocumentKind.OTHER][0]


@dataclass(frozen=True)
class FolderQuery:
    """What a list was asked for. What cannot be understood narrows nothing."""

    values: Mapping[str, str]

    @classmethod
    def read(cls, given: MultiDict[str, str]) -> FolderQuery:
        """From the address; empty values are left out, so that links stay short."""
        return cls({key: value[:200] for key in KEYS if (value := given.get(key, "").strip())})

    @property
    def narrowed(self) -> Filter:
        """The filter on the document itself."""
        only = self.values.get("only")
        return Filter(
            text=self.values.get("q", "").replace("\x00", ""),
            since=date_of(self.values.get("since")),
            until=date_of(self.values.get("until")),
            least=_cents(self.values.get("least")),
            most=_cents(self.values.get("most")),
            removed=only == "removed",
            twins=only == "twins",
        )

    @property
    def standing(self) -> Standing:
        """The filter on how documents stand at integrations; ``open`` is everything that stands still."""
        state = self.values.get("state", "")
        states = STANDING_STILL if state == "open" else (State(state),) if state in set(State) else ()
        return Standing(states=states, instance_id=uuid_of(self.values.get("instance")))

    @property
    def sort(self) -> str:
        """The order as it is written in the address, ``-arrival`` unless another was asked for."""
        sort = self.values.get("sort", _DEFAULT)
        return sort if sort.removeprefix("-") in _SORTS else _DEFAULT

    @property
    def order(self) -> Order:
        """The order of the list."""
        return Order(_SORTS[self.sort.removeprefix("-")], self.sort.startswith("-"))

    @property
    def is_narrowed(self) -> bool:
        """Whether anything is filtered."""
        return any(key != "sort" for key in self.values)

    def link(self, endpoint: str, **fixed: object) -> Callable[..., str]:
        """Links that keep the query and change what they are given: ``link(sort="-date")``, ``link(after=…)``."""
        return lambda **changed: url_for(endpoint, **{**fixed, **self.values, **changed})


def date_of(text: str | None) -> date | None:
    """A date of an address; None for what is none."""
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        return None


def _cents(text: str | None) -> int | None:
    """An amount to compare with; in whatever currency the documents are, so two decimal places."""
    try:
        minor = parse(text, "EUR").minor if text else None
    except Invalid:
        return None
    return minor if minor is None or abs(minor) < 2**62 else None


def uuid_of(text: str | None) -> UUID | None:
    """An id of an address; None for what is none."""
    try:
        return UUID(text) if text else None
    except ValueError:
        return None
