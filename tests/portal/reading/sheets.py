"""Pages made of lines of text, so that a test shows what stands on the paper."""

from __future__ import annotations

import io

from portal.reading.findings import Box, Source
from portal.reading.words import Page, Word, lay_out

LETTER = 6.0  # points; the width of every letter
LINE = 14.0


def page(text: str, number: int = 1, source: Source = Source.TEXT) -> Page:
    """A page that shows the lines of ``text``, letter for letter; two blanks or more part columns."""
    words = []
    for row, line in enumerate(text.strip("\n").split("\n")):
        start = 0
        for part in line.split(" "):
            if part:
                left, top = 40 + start * LETTER, 40 + row * LINE
                box = Box(left, top, left + len(part) * LETTER, top + 10)
                words.append(Word(part, box, box))
            start += len(part) + 1
    return lay_out(words, number, 595.0, 842.0, source)


def pdf(*texts: str) -> bytes:
    """A PDF with a page for each text, in a typewriter's letters."""
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        "",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Courier /Encoding /WinAnsiEncoding >>",
    ]
    kids = []
    for text in texts:
        drawn = _drawn(text)
        objects.append(f"<< /Length {len(drawn)} >>\nstream\n{drawn}\nendstream")
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents {len(objects)} 0 R "
            "/Resources << /Font << /F 3 0 R >> >> >>"
        )
        kids.append(f"{len(objects)} 0 R")
    objects[1] = f"<< /Type /Pages /Kids [{' '.join(kids)}] /Count {len(kids)} >>"
    return _file(objects)


def _drawn(text: str) -> str:
    lines = [line.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)") for line in text.strip("\n").split("\n")]
    return "BT /F 10 Tf 14 TL 40 800 Td " + " ".join(f"({line}) Tj T*" for line in lines) + " ET"


def _file(objects: list[str]) -> bytes:
    written, places = io.BytesIO(), []
    written.write(b"%PDF-1.4\n")
    for number, content in enumerate(objects, 1):
        places.append(written.tell())
        written.write(f"{number} 0 obj\n{content}\nendobj\n".encode("cp1252"))
    start = written.tell()
    written.write(f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n".encode())
    written.writelines(f"{place:010} 00000 n \n".encode() for place in places)
    written.write(f"trailer << /Size {len(objects) + 1} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n".encode())
    return written.getvalue()


GERMAN = """
Muster Werkzeuge GmbH - Hauptstr. 5 - 80331 München

Beispiel Bau AG
Frau Anna Kern
Ringweg 12
50667 Köln
                                        Rechnungsnummer   RE-2024/0815
                                        Rechnungsdatum    12. März 2024
                                        Kundennummer      104711
Rechnung

Pos  Beschreibung          Menge   Einzelpreis   Gesamt
1    Bohrmaschine          2       499,50        999,00
2    Versandpauschale      1       235,56        235,56

                     Nettobetrag            1.234,56 €
                     zzgl. 19 % MwSt          234,57 €
                     Rechnungsbetrag        1.469,13 €

Zahlbar ohne Abzug bis zum 11.04.2024, 2 % Skonto bei Zahlung bis 22.03.2024
IBAN: DE02 1203 0000 0000 2020 51   BIC: BYLADEM1001
USt-IdNr.: DE136695976   www.muster-werkzeuge.de
"""

ENGLISH = """
INVOICE

Northwind Traders Ltd
12 Harbour Road
London

Bill to:
Contoso Group Ltd
8 Mill Lane

Invoice no.      NW-10023
Invoice date     03/25/2024
Due date         04/24/2024

Description            Amount
Consulting             $1,000.00
Travel                 $250.00

Subtotal               $1,250.00
VAT 20%                $250.00
Total                  $1,500.00
"""
