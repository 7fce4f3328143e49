"""Documents with the values that are right for them, and whether what was read is one of those."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any

from portal.money import Money
from portal.reading import fields, ocr, pdf
from portal.reading.fields.ranking import Choice
from portal.reading.findings import Source
from portal.reading.flatten import Detected
from portal.reading.limits import Limits
from portal.reading.words import Page, squeeze

DATA = Path(__file__).parents[2] / "shared" / "data"
KINDS = {"pdf_invoice": "PDF", "image_invoice": "photo of an invoice", "receipt": "receipt"}
NAMES = {
    "kind": "paper", "currency": "currency", "number": "number", "issue_date": "issued_on", "due_date": "due_on",
    "seller": "seller", "buyer": "buyer", "seller_vat_id": "seller_vat_id", "net": "net", "tax": "tax",
    "gross": "gross", "iban": "iban",
}  # fmt: skip
_RECEIPT = {"seller": "company", "issue_date": "date", "gross": "total", "currency": "currency", "tax": "tax"}
_LIMITS = Limits()


@dataclass(frozen=True)
class Paper:
    """One file, its kind, the right values of the fields that can be seen, other spellings of the seller."""

    path: Path
    kind: str
    family: str
    right: Mapping[str, str]
    sellers: Sequence[str] = ()
    transcript: Path | None = None
    weight: float = 1.0
    held_out: bool = field(init=False)

    def __post_init__(self) -> None:
        digest = hashlib.sha256(self.path.name.encode()).digest()
        object.__setattr__(self, "held_out", digest[0] % 2 == 1)


def papers(data: Path = DATA) -> list[Paper]:
    """All documents of the development data that are read from pages; nothing when the data is not there."""
    manifest = data / "manifest.jsonl"
    if not manifest.exists():
        return []
    rows = (json.loads(line) for line in manifest.read_text("utf-8").splitlines())
    return [_paper(data, row) for row in rows if row["kind"] in KINDS]


def _paper(data: Path, row: Mapping[str, Any]) -> Paper:
    expect = row["expect"]
    if row["kind"] == "receipt":
        right = {name: expect[key] for name, key in _RECEIPT.items() if expect.get(key)}
    else:
        right = {name: expect[name] for name in row.get("visible", expect) if name in NAMES and expect.get(name)}
    if not str(expect.get("gross", "")).startswith(
        "-"
    ):  # such a correction is an invoice by its code, not by its title
        right["kind"] = "receipt" if row["kind"] == "receipt" else "invoice"
    others = [*expect.get("company_alt", ()), *expect.get("seller_alt", ())]
    transcript = data / row["transcript"] if "transcript" in row else None
    return Paper(data / row["path"], KINDS[row["kind"]], row["family"], right, others, transcript)


def more(listing: Path) -> Iterator[Paper]:
    """Documents listed elsewhere, one JSON object a line: path, kind, family, right, weight."""
    for line in listing.read_text("utf-8").splitlines():
        row = json.loads(line)
        yield Paper(Path(row["path"]), row["kind"], row["family"], row["right"], weight=row.get("weight", 1.0))


def pages(paper: Paper, cache: Path | None = None) -> list[Page]:
    """Its pages as words; what OCR detects may be kept in a folder, as it takes long and is always the same."""
    content = paper.path.read_bytes()
    if paper.path.suffix == ".pdf":
        document = pdf.opened(content)
        try:
            return [pdf.page_of(document, index, _LIMITS) for index in range(min(len(document), _LIMITS.pages))]
        finally:
            document.close()
    width, height = ocr.size(content)
    wide, lines = _detected(content, cache)
    return [ocr.laid(lines, wide, 1, float(width), float(height))]


def _detected(content: bytes, cache: Path | None) -> tuple[int, list[Detected]]:
    kept = cache / f"{hashlib.sha256(content).hexdigest()}.json" if cache else None
    if kept is None or not kept.exists():
        picture = ocr.clean(ocr.loaded(content, _LIMITS))
        found = ocr.detect(picture)
        if kept is None:
            return picture.shape[1], found
        told = [[one.corners, one.text, one.sure] for one in found]
        kept.write_text(json.dumps({"width": picture.shape[1], "lines": told}), "utf-8")
    said = json.loads(kept.read_text("utf-8"))
    lines = [Detected(tuple(map(tuple, corners)), text, sure) for corners, text, sure in said["lines"]]  # type: ignore[arg-type]
    return said["width"], lines


@dataclass(frozen=True)
class Judged:
    """One field of one paper: whether the value read is right, and the evidence it had."""

    paper: Paper
    name: str
    source: Source
    score: float | None  # None: nothing was read
    right: bool
    value: object = None
    most: float = 1.0  # the confidence that it cannot exceed
    choices: Mapping[str, Choice[Any]] = field(default_factory=dict, repr=False)


def judge(paper: Paper, read: Sequence[Page]) -> list[Judged]:
    """All its fields that can be seen, and the sort of paper."""
    choices = fields.choose(read, fields.Known())
    source = read[0].source
    judged = []
    for name, wanted in paper.right.items():
        choice = choices.get(NAMES[name])
        others = paper.sellers if name == "seller" else ()
        fits = choice is not None and any(is_right(name, choice.value, one) for one in (wanted, *others))
        score, value, most = (choice.score, choice.value, choice.most) if choice else (None, None, 1.0)
        judged.append(Judged(paper, NAMES[name], source, score, fits, value, most, choices))
    return judged


def is_right(name: str, value: object, wanted: str) -> bool:
    """Exact but for names: those may lack a legal form or a branch, or have one letter in ten misread."""
    if isinstance(value, Money):
        return value.decimal == Decimal(wanted)
    if name in {"seller", "buyer"}:
        one, two = squeeze(str(value)), squeeze(wanted)
        short, long = sorted((one, two), key=len)
        part = len(short) >= 4 and short in long and 2 * len(short) >= len(long)
        return one == two or part or SequenceMatcher(None, one, two, autojunk=False).ratio() >= 0.88
    return re.sub(r"[\s_\-./]", "", str(value)).casefold() == re.sub(r"[\s_\-./]", "", wanted).casefold()
