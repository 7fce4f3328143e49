"""How well and how fast pages are read: ``python -m benchmarks.reading [--curve] [--cache FOLDER]``.

Every figure stands beside its goal and beside the half of the papers that the first version of the rules was written
without (later faults of both halves were looked at, so it tells less than papers from elsewhere: ``--more``). Speed is
measured on one core in this process, the engine alone in the same run; memory is that of a child as workers use it.
"""

from __future__ import annotations

import argparse
import csv
import os
import resource
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from benchmarks import calibrate, papers
from benchmarks.figures import Figure
from benchmarks.papers import Judged, Paper
from portal.reading import confidence, fields, ocr, pdf
from portal.reading.apart import Reader
from portal.reading.limits import Limits
from portal.reading.words import squeeze

GOALS = {
    ("PDF", "gross"): 98, ("PDF", "number"): 93, ("PDF", "issued_on"): 95, ("PDF", "iban"): 98,
    ("PDF", "seller_vat_id"): 93, ("PDF", "seller"): 90,
    ("receipt", "gross"): 92, ("receipt", "issued_on"): 92, ("receipt", "seller"): 85,
}  # fmt: skip
_SAMPLE = 8  # files whose reading is timed


def main() -> None:
    """Print all figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--curve", action="store_true", help="how far confidence can be believed")
    parser.add_argument("--cache", type=Path, help="a folder that keeps what OCR detected")
    parser.add_argument("--more", type=Path, help="a list of more papers")
    options = parser.parse_args()
    measured = papers.papers() + (list(papers.more(options.more)) if options.more else [])
    if not measured:
        raise SystemExit(f"There are no documents to measure with in {papers.DATA}.")
    judged = [one for paper in measured for one in papers.judge(paper, papers.pages(paper, options.cache))]
    for figure in (*trust(judged), *right(judged)):
        print(figure)
    if options.curve:
        print(calibrate.curve(judged, confidence.table()))
        return
    for figure in (*told(judged), *speed(measured), memory(measured)):
        print(figure)


def measure() -> Iterator[Figure]:
    """All figures of the development data; OCR makes it take some minutes. Nothing when the data is not there."""
    if measured := papers.papers():
        judged = [one for paper in measured for one in papers.judge(paper, papers.pages(paper))]
        yield from (*trust(judged), *right(judged), *told(judged), *speed(measured), memory(measured))


def trust(judged: Sequence[Judged]) -> Iterator[Figure]:
    """How often values of 0.95 and more are right, and how many of all right values are among them.

    Of papers that the table was not made from: halves are held out, again and again; the table as it is shipped, which
    knows all of these papers, stands beside it.
    """
    told = calibrate.held_out(judged)
    certain = [one for one, believed in told if believed >= 0.95]
    shipped = [one for one in judged if calibrate.sure(one, confidence.table()) >= 0.95]
    share, kept = _percent(certain), _kept(certain, [one for one, _ in told])
    yield Figure(
        "values of confidence 0.95 and more, held out: right", share, "%", "as shipped", _percent(shipped), "99 %",
        share >= 99,
    )  # fmt: skip
    yield Figure(
        "right values that are that sure, held out", kept, "%", "as shipped", _kept(shipped, judged), "70 %", kept >= 70
    )


def _kept(certain: Sequence[Judged], judged: Sequence[Judged]) -> float:
    return 100 * sum(one.right for one in certain) / max(sum(one.right for one in judged), 1)


def right(judged: Sequence[Judged]) -> Iterator[Figure]:
    """Right values in percent by kind and field; the anchor is the half not used at first."""
    sorts: dict[tuple[str, str], list[Judged]] = defaultdict(list)
    for one in judged:
        sorts[one.paper.kind, one.name].append(one)
    for (kind, name), some in sorted(sorts.items()):
        held = [one for one in some if one.paper.held_out]
        goal = GOALS.get((kind, name))
        share = _percent(some)
        met = None if goal is None else share >= goal
        yield Figure(f"{kind}: {name}, {len(some)} values", share, "%", "held out", _percent(held), f"{goal} %", met)


def _percent(judged: Sequence[Judged]) -> float:
    return 100 * sum(one.right for one in judged) / len(judged) if judged else float("nan")


def told(judged: Sequence[Judged]) -> Iterator[Figure]:
    """Receipts beside what their true transcript holds at all: what neither eye nor engine can find there."""
    for name, key in (("gross", "gross"), ("issued_on", "issue_date"), ("seller", "seller")):
        some = [one for one in judged if one.paper.transcript and one.name == name]
        if some:
            there = [one for one in some if _is_there(one.paper, key)]
            share = 100 * len(there) / len(some)
            yield Figure(f"receipts: {name}, of those with a transcript", _percent(some), "%", "in transcript", share)


def _is_there(paper: Paper, key: str) -> bool:
    if paper.transcript is None:
        return False
    with paper.transcript.open(encoding="utf-8", errors="replace") as lines:
        text = squeeze(" ".join(",".join(row[8:]) for row in csv.reader(lines, quoting=csv.QUOTE_NONE)))
    wanted = paper.right[key]
    if key == "issue_date":
        year, month, day = wanted.split("-")
        return any(squeeze(form) in text for form in (wanted, f"{day}{month}{year}", f"{day}{month}{year[2:]}", year))
    return squeeze(wanted) in text


def speed(measured: Sequence[Paper]) -> Iterator[Figure]:
    """Pages per second on one core, and our own part of the time that OCR takes."""
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    files = [paper.path.read_bytes() for paper in measured if paper.path.suffix == ".pdf"]
    count, took = _timed(lambda: sum(_text(content) for content in files))
    yield Figure("pages with text, all fields", count / took, "/s", "opening alone", *_opening(files))
    pictures = [paper.path.read_bytes() for paper in measured if paper.path.suffix != ".pdf"][
        :: len(measured) // _SAMPLE
    ]
    ocr.detect(ocr.clean(ocr.loaded(pictures[0], Limits())))  # the models are loaded
    engine = whole = 0.0
    for content in pictures:
        begun = time.process_time()
        cleaned = ocr.clean(ocr.loaded(content, Limits()))
        seen = time.process_time()
        lines = ocr.detect(cleaned)
        detected = time.process_time()
        fields.find([ocr.laid(lines, cleaned.shape[1], 1, *ocr.size(content))])
        whole += time.process_time() - begun
        engine += detected - seen
    alone = len(pictures) / engine
    yield Figure("pages with OCR, all fields", len(pictures) / whole, "/s", "engine alone", alone)


def _opening(files: Sequence[bytes]) -> tuple[float]:
    count, took = _timed(lambda: sum(_length(content) for content in files))
    return (count / took,)


def _timed(run: Callable[[], int]) -> tuple[int, float]:
    begun = time.process_time()
    count = run()
    return count, time.process_time() - begun


def _length(content: bytes) -> int:
    document = pdf.opened(content)
    try:
        return len(document)
    finally:
        document.close()


def _text(content: bytes) -> int:
    document = pdf.opened(content)
    try:
        pages = [pdf.page_of(document, index, Limits()) for index in range(len(document))]
    finally:
        document.close()
    with_words = [page for page in pages if page.rows]
    if with_words:
        fields.find(with_words)
    return len(pages)


def memory(measured: Sequence[Paper]) -> Figure:
    """The most memory that a child took for the largest pictures and PDFs."""
    largest = sorted(measured, key=lambda paper: -paper.path.stat().st_size)[:3]
    types = {".pdf": "application/pdf", ".png": "image/png"}
    with Reader() as reader:
        for paper in largest:
            reader.read(paper.path.read_bytes(), types.get(paper.path.suffix, "image/jpeg"))
    taken = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return Figure("memory of a child at most", taken, "MB", "this process", own)


if __name__ == "__main__":
    main()
