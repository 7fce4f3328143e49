from __future__ import annotations

from portal.reading import split
from tests.portal.reading.sheets import page


def invoice(number: str, at: int, place: str = "") -> str:
    return f"Muster GmbH\nRechnung\nRechnungsnummer: {number}\nRechnungsdatum: 0{at}.02.2024\n{place}\nSumme 10,00 €"


def ranges(*texts: str) -> list[tuple[int, int]]:
    return [(part.first, part.last) for part in split.propose([page(text, at) for at, text in enumerate(texts, 1)])]


def test_one_invoice_of_several_pages_stays_one() -> None:
    assert ranges(invoice("R-100", 1, "Seite 1 von 2"), "Seite 2 von 2\nUebertrag 10,00 €\nSumme 10,00 €") == []
    assert ranges(invoice("R-100", 1), invoice("R-100", 1)) == []


def test_another_number_begins_another_document() -> None:
    assert ranges(invoice("R-100", 1), "noch mehr Text zu Rechnung eins\n und mehr", invoice("R-101", 2)) == [
        (1, 2),
        (3, 3),
    ]


def test_a_first_page_of_several_begins_another_document() -> None:
    first, second = "Page 1 of 2\nSome letter text here", "Page 2 of 2\nSome more text here"
    assert ranges(first, second, first, second) == [(1, 2), (3, 4)]


def test_an_empty_sheet_between_belongs_to_neither() -> None:
    assert ranges(invoice("R-100", 1), "", invoice("R-101", 2)) == [(1, 1), (3, 3)]


def test_each_part_says_why() -> None:
    parts = split.propose([page(invoice("R-100", 1), 1), page(invoice("R-101", 2), 2)])
    assert dict(parts[1].facts) == {"page": 2, "number": "R-101", "before": "R-100"}
    assert parts[1].text % dict(parts[1].facts)
