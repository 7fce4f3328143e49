"""Reading through the child, and what hostile files do to it: nothing that lasts."""

from __future__ import annotations

import io
import os
import signal
import struct
import threading
import time
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFont

from portal.reading.apart import Reader
from portal.reading.direction import ClientFacts
from portal.reading.findings import Direction, Source
from portal.reading.limits import Limits, Why
from portal.reading.reading import Reading
from tests.portal.reading import sheets

HOSTILE = Path(__file__).parents[4] / "shared" / "data" / "hostile"
PDF = "application/pdf"


@pytest.fixture(scope="module")
def reader() -> Iterator[Reader]:
    with Reader() as one:
        yield one


def why(reading: Reading) -> str | None:
    return reading.unread.text if reading.unread else None


def picture(text: str, turned: int = 0) -> bytes:
    """A JPEG of a slip with large letters."""
    drawn = Image.new("RGB", (900, 1000), "white")
    ImageDraw.Draw(drawn).multiline_text((60, 60), text, fill="black", font=ImageFont.load_default(40), spacing=24)
    kept = io.BytesIO()
    drawn.rotate(turned, expand=True).save(kept, "JPEG", quality=90)
    return kept.getvalue()


SLIP = """BACKHAUS SONNE GMBH
50667 Koeln
Brot            4,20
Kuchen          3,30
SUMME EUR       7,50
BAR EUR        10,00
Rueckgeld       2,50
03.05.2024  08:12"""


def test_a_pdf_with_text_is_read_without_ocr(reader: Reader) -> None:
    reading = reader.read(sheets.pdf(sheets.GERMAN), PDF)
    assert reading.unread is None
    assert reading.findings.number is not None
    assert (reading.findings.number.value, reading.findings.number.source) == ("RE-2024/0815", Source.TEXT)
    assert "Bohrmaschine" in reading.text


def test_the_clients_facts_decide_the_direction(reader: Reader) -> None:
    client = ClientFacts(names=frozenset({"Beispiel Bau AG"}))
    decision = reader.read(sheets.pdf(sheets.GERMAN), PDF, client).decision
    assert decision is not None
    assert decision.direction is Direction.PURCHASE


def test_a_scanned_pdf_is_read_as_a_picture(reader: Reader) -> None:
    kept = io.BytesIO()
    Image.open(io.BytesIO(picture(SLIP))).save(kept, "PDF", resolution=150)
    reading = reader.read(kept.getvalue(), PDF)
    assert reading.findings.gross is not None
    assert reading.findings.gross.value.minor == 750
    assert reading.pages[0].source is Source.OCR
    box = reading.findings.gross.box
    assert box is not None
    assert 0 < box.left < box.right <= reading.pages[0].width


@pytest.mark.parametrize("turned", [0, 90, 180])
def test_a_photographed_slip_is_read_however_it_lies(reader: Reader, turned: int) -> None:
    found = reader.read(picture(SLIP, turned), "image/jpeg").findings
    assert found.gross is not None
    assert found.gross.value.minor == 750
    assert found.issued_on is not None
    assert found.issued_on.value.isoformat() == "2024-05-03"
    assert found.gross.source is Source.OCR


def test_several_invoices_in_one_file_are_proposed_apart(reader: Reader) -> None:
    other = sheets.GERMAN.replace("RE-2024/0815", "RE-2024/0999")
    parts = reader.read(sheets.pdf(sheets.GERMAN, other), PDF).parts
    assert [(part.first, part.last) for part in parts] == [(1, 1), (2, 2)]


def test_of_several_invoices_no_value_of_a_later_one_is_believed(reader: Reader) -> None:
    """The number of the first and the larger total of the second must not be booked as one invoice."""
    invoice = (
        "Alpha Reinigung GmbH, Weg 1, 10115 Berlin\n\nRechnung A-100{}\n\nDatum 0{}.02.2026\n\n"
        "Netto {}00,00 EUR\nUSt 19% {},00 EUR\nGesamt {},00 EUR"
    )
    reading = reader.read(sheets.pdf(invoice.format(1, 1, 1, 19, 119), invoice.format(2, 2, 2, 38, 238)), PDF)
    assert reading.parts
    assert [name for name, one in reading.findings.found().items() if one.page == 2 and one.confidence >= 0.95] == []


@pytest.mark.parametrize(
    ("content", "media_type", "reason"),
    [
        (b"", PDF, Why.EMPTY),
        (b"%PDF-1.7\ncut off", PDF, Why.DAMAGED),
        (sheets.pdf("x" * 30)[:300], PDF, Why.DAMAGED),
        (b"\xff\xd8\xff\xe0 no picture", "image/jpeg", Why.DAMAGED),
        (b"\x89PNG\r\n\x1a\nnothing", "image/png", Why.DAMAGED),
        (sheets.pdf("text"), "image/png", Why.DAMAGED),
        (b"PK\x03\x04", "application/zip", Why.NOT_READ),
    ],
)
def test_a_file_that_cannot_be_read_says_why(reader: Reader, content: bytes, media_type: str, reason: Why) -> None:
    assert why(reader.read(content, media_type)) == reason


def test_a_picture_that_unpacks_to_a_bomb_is_refused(reader: Reader) -> None:
    assert why(reader.read(bomb(30_000, 30_000), "image/png")) == Why.TOO_LARGE


def bomb(width: int, height: int) -> bytes:
    """A PNG of one colour: a few hundred kilobytes that want gigabytes."""
    rows = zlib.compressobj(9)
    packed = b"".join(rows.compress(b"\0" * (1 + width * 3)) for _ in range(height)) + rows.flush()
    parts = ((b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)), (b"IDAT", packed), (b"IEND", b""))
    chunks = (
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in parts
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


@pytest.mark.skipif(not HOSTILE.exists(), reason="needs the development data in ../shared/data")
def test_no_hostile_file_ends_the_reader(reader: Reader) -> None:
    child = reader._child
    for path in sorted(HOSTILE.rglob("*.pdf")):
        reading = reader.read(path.read_bytes(), PDF)
        assert reading.unread is not None or reading.pages, path.name
    assert reader._child is child


def test_a_child_that_is_killed_costs_one_reading_and_no_more() -> None:
    with Reader() as reader:
        reader.read(sheets.pdf("first"), PDF)
        pid = _pid(reader)
        killer = threading.Timer(0.3, os.kill, (pid, signal.SIGKILL))
        killer.start()
        assert why(reader.read(picture(SLIP), "image/jpeg")) == Why.BROKE
        killer.join()
        assert reader.read(sheets.pdf(sheets.GERMAN), PDF).unread is None


def test_a_child_that_hangs_is_stopped_at_its_deadline() -> None:
    with Reader(Limits(seconds=1.0)) as reader:
        reader.read(sheets.pdf("first"), PDF)
        pid = _pid(reader)
        os.kill(pid, signal.SIGSTOP)
        begun = time.monotonic()
        assert why(reader.read(sheets.pdf("second"), PDF)) == Why.TOO_LONG
        assert time.monotonic() - begun < 5
        assert not Path(f"/proc/{pid}").exists()


def test_a_file_that_wants_too_much_memory_is_stopped() -> None:
    with Reader(Limits(memory=450 << 20)) as reader:
        assert why(reader.read(picture(SLIP), "image/jpeg")) in {Why.TOO_MUCH, Why.BROKE}


def test_the_child_sees_nothing_of_the_portals_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KONTOR_SECRET_KEY", "hidden")
    with Reader() as reader:
        reader.read(sheets.pdf("first"), PDF)
        assert b"KONTOR" not in Path(f"/proc/{_pid(reader)}/environ").read_bytes()


def test_more_pages_than_are_read_is_said() -> None:
    with Reader(Limits(pages=2)) as reader:
        reading = reader.read(sheets.pdf(sheets.GERMAN, "second page of it", "third page of it"), PDF)
    assert len(reading.pages) == 2
    assert [dict(flag.facts) for flag in reading.findings.flags] == [{"read": 2, "pages": 3}]


def _pid(reader: Reader) -> int:
    assert reader._child is not None
    return reader._child.pid
