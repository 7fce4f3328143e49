"""How well and how fast e-invoices are read: fields exact, invalid ones named, crashes, time beside plain parsing.

python -m benchmarks.einvoice [folder of the published data]
"""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from statistics import median
from typing import Any

from lxml import etree

from benchmarks.figures import Figure
from portal.errors import Invalid
from portal.reading.einvoice.reader import EInvoice, read_einvoice
from portal.reading.findings import Level

DATA = Path(__file__).parents[2] / "shared" / "data"
DATES = {"issue_date": "issued_on", "due_date": "due_on"}
MONEY = ("net", "tax", "gross", "prepaid", "payable")
TEXTS = ("number", "seller", "seller_vat_id", "buyer", "currency", "iban")


@dataclass
class Tally:
    """The counts of one run."""

    valid: int = 0
    invalid: int = 0
    hostile: int = 0
    exact: Counter[str] = field(default_factory=Counter)
    labelled: Counter[str] = field(default_factory=Counter)
    whole: int = 0  # valid files with every field exact
    named: int = 0
    false_alarms: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    crashes: list[str] = field(default_factory=list)
    took: list[float] = field(default_factory=list)  # ms
    anchor: list[float] = field(default_factory=list)  # ms: lxml's parser alone on the same XML


def measure(folder: Path = DATA) -> list[Figure]:
    """The figures of ``make bench``; none, said aloud, without the published data."""
    tally = _run(folder)
    if tally is None:
        return []
    files = tally.valid + tally.invalid + tally.hostile
    quiet, took = tally.valid - len(tally.false_alarms), median(tally.took)
    return [
        _count("e-invoices: valid files with every field exact", tally.whole, "valid files", tally.valid),
        _count("e-invoices: invalid files named with their rule", tally.named, "invalid files", tally.invalid),
        _count("e-invoices: valid files without an error", quiet, "valid files", tally.valid),
        _count("e-invoices: files without a crash, hostile ones too", files - len(tally.crashes), "files", files),
        Figure(
            "e-invoices: read and check one, PDF or XML, median", took, "ms", "its XML parsed alone",
            median(tally.anchor), "≤ 20 ms", took <= 20,
        ),
    ]  # fmt: skip


def _count(name: str, value: int, anchor: str, of: int) -> Figure:
    return Figure(name, value, "files", anchor, of, "all", value == of)


def main(folder: Path) -> int:
    """Print the details; 1 when a valid file is not exact, an invalid one not named, or a file crashed."""
    tally = _run(folder)
    if tally is None:
        return 0
    _tell(tally)
    return int(tally.whole < tally.valid or tally.named < tally.invalid or bool(tally.crashes))


def _run(folder: Path) -> Tally | None:
    manifest = folder / "manifest.jsonl"
    if not manifest.exists():
        print(f"e-invoices: SKIPPED, there is no {manifest}")
        return None
    tally = Tally()
    for line in manifest.read_text().splitlines():
        row = json.loads(line)
        if row["kind"] in {"einvoice", "hostile"}:
            _one(folder, row, tally)
    return tally


def _one(folder: Path, row: dict[str, Any], tally: Tally) -> None:
    path = folder / row["path"]
    media_type = "application/pdf" if path.suffix.lower() == ".pdf" else "application/xml"
    content = path.read_bytes()
    started = time.perf_counter()
    try:
        einvoice = read_einvoice(content, media_type)
    except Invalid:
        einvoice = None
    except Exception as error:  # noqa: BLE001 - what else goes wrong is what this counts
        tally.crashes.append(f"{row['path']}: {error!r}")
        return
    if row["kind"] == "hostile":
        tally.hostile += 1
        return
    tally.took.append((time.perf_counter() - started) * 1000)
    _judge(row, einvoice, tally)


def _judge(row: dict[str, Any], einvoice: EInvoice | None, tally: Tally) -> None:
    flags = einvoice.findings.flags if einvoice else ()
    if einvoice is not None:
        tally.anchor.append(_parse_alone(einvoice.xml))
    if "fail" in row["family"] or row.get("consistency"):
        tally.invalid += 1
        tally.named += any(flag.rule for flag in flags)
        return
    tally.valid += 1
    errors = [str(flag.rule) for flag in flags if flag.level is Level.ERROR]
    if errors:
        tally.false_alarms.append(f"{row['path']}: {', '.join(errors)}")
    wrong = _wrong(row, einvoice, tally)
    tally.whole += not wrong
    tally.wrong += [f"{row['path']}: {name}" for name in wrong]


def _wrong(row: dict[str, Any], einvoice: EInvoice | None, tally: Tally) -> list[str]:
    said = _said(einvoice)
    expected = {**row["expect"], "taxes": _taxes(row["expect"].get("taxes", []))}
    wrong = []
    for name, value in said.items():
        if value == expected.get(name):
            tally.exact[name] += 1
        else:
            wrong.append(name)
        tally.labelled[name] += 1
    return wrong


def _said(einvoice: EInvoice | None) -> dict[str, object]:
    """The fields as the labels write them."""
    if einvoice is None or einvoice.invoice is None:
        return dict.fromkeys((*TEXTS, *DATES, *MONEY, "type_code", "n_lines", "taxes"))
    found = einvoice.findings.found()
    root = einvoice.invoice.root
    taxes = [
        {"category": tax.category, "rate": tax.rate, "base": tax.base.decimal, "tax": tax.tax.decimal}
        for tax in einvoice.findings.taxes
    ]
    return {
        **{name: found[name].value if name in found else None for name in TEXTS},
        **{name: found[ours].value.isoformat() if ours in found else None for name, ours in DATES.items()},
        **{name: f"{found[name].value.decimal:.2f}" if name in found else None for name in MONEY},
        "type_code": root.text("BT-3") or None,
        "n_lines": len(root.of("BG-25")),
        "taxes": _taxes(taxes),
    }


def _taxes(taxes: list[dict[str, Any]]) -> list[tuple[object, ...]]:
    numbers = ("rate", "base", "tax")
    return [
        (tax.get("category"), *(None if tax.get(name) is None else Decimal(tax[name]) for name in numbers))
        for tax in taxes
    ]


def _parse_alone(content: bytes) -> float:
    started = time.perf_counter()
    etree.fromstring(content.lstrip(b"\xef\xbb\xbf \r\n\t"))
    return (time.perf_counter() - started) * 1000


def _tell(tally: Tally) -> None:
    files = tally.valid + tally.invalid
    print(f"e-invoices: {files} files ({tally.valid} valid, {tally.invalid} invalid), {tally.hostile} hostile files")
    print(f"  valid files with every field exact: {tally.whole} of {tally.valid}")
    for name, count in tally.labelled.items():
        print(f"    {name:14} {tally.exact[name]:4} of {count}")
    print(f"  invalid files named with a rule: {tally.named} of {tally.invalid}")
    print(f"  valid files with an error: {len(tally.false_alarms)}; crashes: {len(tally.crashes)}")
    for line in (*tally.wrong, *tally.false_alarms, *tally.crashes):
        print(f"    {line}")
    took, anchor = median(tally.took), median(tally.anchor)
    print(f"  read and checked: median {took:.2f} ms, worst {max(tally.took):.0f} ms (the first compiles the schema)")
    print(f"  anchor, parsing the same XML alone: median {anchor:.2f} ms; ratio {took / anchor:.0f}")


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]) if len(sys.argv) > 1 else DATA))
