"""The search at 1,000 and 100,000 documents, half of them one client's. Anchor: a page of that client's list by key.

Texts have some sixty words whose frequencies fall as in a language: the first ones are in nearly every document.
``python -m benchmarks.search postgresql`` measures on a PostgreSQL of its own.
"""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import accumulate
from statistics import median
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Session, col, select

from benchmarks.archive import Archive, fill, settle
from benchmarks.figures import Figure
from benchmarks.place import Place, place
from integrations.contract import DocumentKind
from portal import clock
from portal.access import viewer_of
from portal.documents import lists, search
from portal.documents.lists import Filter, Line, Order
from portal.documents.models import DocumentText
from portal.overview.search import Wanted, find
from tests import servers

SIZES = (1_000, 100_000)
GOAL, ROUNDS, SEED = 150.0, 9, 7
_PAGE = 1_000
_ANCHOR = "page of a list"
_STEMS = ("papier", "wasser", "miet", "fracht", "werbe", "büro")
_ENDS = ("kosten", "lieferung", "vertrag", "menge", "nachlass", "pauschale")
_COMPOUNDS = [one + two for one in _STEMS for two in _ENDS]
_WORDS = ["rechnung", "betrag", "strom", *_COMPOUNDS, *(f"wort{number}" for number in range(20_000))]
_RARE = "einhornstaub"


def measure(database_url: str | None = None, sizes: Sequence[int] = SIZES) -> list[Figure]:
    """All figures of this script."""
    print(f"search: texts from seed {SEED}")
    found: list[Figure] = []
    for size in sizes:
        with place(database_url) as at:
            archive = fill(at, size)
            began = time.perf_counter()
            _write_texts(at)
            took = time.perf_counter() - began
            settle(at)
            found += _figures(at, archive, size)
            anchor = found[-1].anchor_value
            found.append(Figure(f"index a document, {size:,} documents", took * 1000 / size, "ms", _ANCHOR, anchor))
    return found


def _write_texts(at: Place) -> None:
    """Texts for all documents, then the index from them, as after an upgrade."""
    search.fill_gaps(at.parts.db)
    chance, weights = random.Random(SEED), list(accumulate(1 / (rank + 1) for rank in range(len(_WORDS))))
    with at.parts.db.read() as session:
        places = session.exec(select(DocumentText.place).order_by(col(DocumentText.place))).all()
    for start in range(0, len(places), _PAGE):
        rows = [
            {"b_place": one, "text": _text(chance, weights, start + n), "read_at": clock.now()}
            for n, one in enumerate(places[start : start + _PAGE])
        ]
        with at.parts.db.transaction() as session:
            table = DocumentText.__table__  # type: ignore[attr-defined]
            change = sa.update(table).where(table.c.place == sa.bindparam("b_place"))
            session.connection().execute(change, rows)
    search.rebuild(at.parts.db)


def _text(chance: random.Random, weights: list[float], number: int) -> str:
    words = chance.choices(_WORDS, cum_weights=weights, k=60)
    return " ".join([*words, _RARE] if number % 500 == 250 else words)


def _searches(archive: Archive) -> Iterator[tuple[str, Wanted]]:
    """What people look for, within the largest client and over all."""
    old = clock.now().date() - timedelta(days=30)
    texts = {
        "rare word": _RARE, "common word": "rechnung", "exact number": "RE-000777", "phrase": '"rechnung betrag"',
        "beginning": "fracht*", "word without another": "strom -betrag", "nothing that fits": "rechnung gibtsnicht",
    }  # fmt: skip
    for client_id, place_name in ((archive.client_id, "one client"), (None, "all clients")):
        for name, text in texts.items():
            yield f"{name}, {place_name}", Wanted(text=text, client_id=client_id)
        common = Wanted(text="rechnung", client_id=client_id)
        yield f"common word in an empty folder, {place_name}", replace(common, folder=DocumentKind.OTHER)
        yield f"common word of a past period, {place_name}", replace(common, until=old)


def _figures(at: Place, archive: Archive, size: int) -> Iterator[Figure]:
    with at.parts.db.read() as session:
        viewer = viewer_of(session, archive.person_id)
        if viewer is None:
            raise SystemExit("The archive's owner may not look.")
        anchor = _milliseconds(lambda: _list(session, archive.client_id, Filter()))
        for name, wanted in _searches(archive):
            took = _milliseconds(lambda wanted=wanted: find(session, viewer, wanted))  # type: ignore[misc]
            inside = wanted.client_id is not None
            goal, met = (f"≤ {GOAL:.0f} ms", took <= GOAL) if inside else ("", None)
            yield Figure(f"search {name}, {size:,} documents", took, "ms", _ANCHOR, anchor, goal, met)
        took = _milliseconds(lambda: _list(session, archive.client_id, Filter(text="fracht")))
        yield Figure(f"folder filtered by content, {size:,} documents", took, "ms", _ANCHOR, anchor)


def _list(session: Session, client_id: UUID, narrowed: Filter) -> Sequence[Line]:
    return lists.page(session, client_id, DocumentKind.INCOMING_INVOICE, narrowed, Order(), Line).documents


def _milliseconds(work: Callable[[], object]) -> float:
    took = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        work()
        took.append((time.perf_counter() - began) * 1000)
    return median(took)


def _on_postgresql() -> list[Figure]:
    """The larger size on a cluster of this run."""
    with servers.postgresql() as cluster:
        servers.sql(cluster, "CREATE DATABASE bench")
        return measure(f"postgresql+psycopg://kontor@/bench?host={cluster}", SIZES[-1:])


if __name__ == "__main__":
    print(*(_on_postgresql() if "postgresql" in sys.argv else measure()), sep="\n")
