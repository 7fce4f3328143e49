"""``kontor extract FILE…``: what is read from files, one line of JSON for each."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, TextIO

from portal.money import Money
from portal.reading.apart import Reader
from portal.reading.findings import Finding
from portal.reading.reading import Reading

# The command's name for a field, and the reader's.
_FIELDS = {
    "kind": "paper", "number": "number", "issue_date": "issued_on", "due_date": "due_on", "seller": "seller",
    "buyer": "buyer", "currency": "currency", "net": "net", "tax": "tax", "gross": "gross", "iban": "iban",
    "vat_id": "seller_vat_id",
}  # fmt: skip


def main(paths: Sequence[str], out: TextIO | None = None) -> int:
    """Print a line for each file; 1 when one could not be read, else 0. Amounts are text with a decimal point."""
    failed = 0
    with Reader() as reader:
        for line in _lines(reader, paths):
            failed += "unread" in line
            print(json.dumps(line, ensure_ascii=False), file=out or sys.stdout, flush=True)
    return 1 if failed else 0


def _lines(reader: Reader, paths: Sequence[str]) -> Iterator[dict[str, Any]]:
    for path in paths:
        try:
            content = Path(path).read_bytes()
        except OSError as error:
            yield {"path": path, "unread": error.strerror or str(error)}
            continue
        yield {"path": path, **told(reader.read(content, media_type(content)))}


def told(reading: Reading) -> dict[str, Any]:
    """A reading as the command tells it: every field, null where nothing was found, with confidence by field."""
    found = reading.findings.found()
    line: dict[str, Any] = {said: _plain(found.get(name)) for said, name in _FIELDS.items()}
    line["confidence"] = {said: found[name].confidence for said, name in _FIELDS.items() if name in found}
    if reading.findings.flags:
        line["flags"] = [_sentence(flag.text, flag.facts) for flag in reading.findings.flags]
    if reading.parts:
        line["parts"] = [[part.first, part.last] for part in reading.parts]
    if reading.unread:
        line["unread"] = _sentence(reading.unread.text, reading.unread.facts)
    return line


def _sentence(text: str, facts: Any) -> str:
    return text % facts if facts else text


def _plain(finding: Finding[Any] | None) -> str | None:
    if finding is None:
        return None
    value = finding.value
    return f"{value.decimal:f}" if isinstance(value, Money) else str(value)


def media_type(content: bytes) -> str:
    """What a file is, from its first bytes; the portal's own detection is stricter and stands at its door."""
    head = content[:1024]
    if b"%PDF-" in head:
        return "application/pdf"
    if head.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    start = head.replace(b"\0", b"").lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n")
    return "application/xml" if start.startswith(b"<") else "application/octet-stream"
