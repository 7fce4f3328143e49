"""What is typed into the search: understood the same on both engines, and never wrong."""

from __future__ import annotations

import pytest

from portal.documents import excerpts, queries, terms


def shown(text: str, search: str) -> str:
    return "".join(
        f"[{piece.text}]" if piece.hit else piece.text for piece in excerpts.excerpt(text, queries.parse(search))
    )


@pytest.mark.parametrize(
    ("search", "text", "marked"),
    [
        ("rechnung", "Ihre Rechnungen liegen bei", "Ihre [Rechnungen] liegen bei"),
        ("haus", "zwei Häuser", "zwei [Häuser]"),
        ("Mueller", "Herr Müller", "Herr [Müller]"),
        ("strasse", "Lange Straße", "Lange [Straße]"),
        ('"offene Posten"', "offene alte, offene Posten", "offene alte, [offene Posten]"),
        ("wart*", "Die Wartungspauschale", "Die [Wartungspauschale]"),
        ("RE-2026/17", "Nr. RE 2026 17 liegt", "Nr. [RE 2026 17] liegt"),
        ("RE202617", "Nr. RE-2026/17 liegt", "Nr. [RE-2026/17] liegt"),
        ("RE 2026 17", "Nr. RE2026-17 liegt", "Nr. [RE2026-17] liegt"),
        ("1.234,56", "Summe 1,234.56 EUR", "Summe [1,234.56] EUR"),
        ("1234.56", "Summe 1 234,56 EUR", "Summe [1 234,56] EUR"),
        ("DE89370400440532013000", "auf DE89 3704 0044 0532 0130 00 bei", "auf [DE89 3704 0044 0532 0130 00] bei"),
        ("Email", "per E-Mail an", "per [E-Mail] an"),
        ("strom -storno", "Strom ohne alles", "[Strom] ohne alles"),
    ],
)
def test_a_search_finds_and_marks_what_a_person_means(search: str, text: str, marked: str) -> None:
    assert shown(text, search) == marked


@pytest.mark.parametrize("search", ["RE-2026/18", "1.234,57", "RE2026171", '"Posten offene"'])
def test_near_is_not_found(search: str) -> None:
    assert shown("RE-2026/17 offene Posten 1.234,56", search) == ""


def test_of_a_long_text_the_lines_with_most_of_what_was_sought_are_shown() -> None:
    text = "Strom. " + "Fülltext ohne Belang. " * 400 + "Strom und Wasser für März. " + "Ende. " * 400
    found = shown(text, "strom wasser")
    assert "[Strom] und [Wasser] für März" in found
    assert found.startswith("… ")
    assert len(found) < 400


def test_a_word_far_back_in_a_very_long_text_is_shown() -> None:
    text = "Nichts davon. " * 10_000 + "Einhornstaub, zwei Säcke."
    assert "[Einhornstaub]" in shown(text, "einhornstaub")


def test_while_somebody_types_the_last_word_may_go_on() -> None:
    assert queries.parse("rech", typing=True).clauses[0].ways[0] == queries.Sought(("rech",), prefix=True)
    assert not any(way.prefix for way in queries.parse("rech ", typing=True).clauses[0].ways)
    assert not any(way.prefix for way in queries.parse("rech").clauses[0].ways)


@pytest.mark.parametrize("search", ["", "   ", "-", '"', "***", '-""', "()", "\u200b", "'", ":"])
def test_what_holds_no_word_asks_for_nothing(search: str) -> None:
    assert not queries.parse(search)


def test_a_text_is_kept_as_people_read_it() -> None:
    raw = "Umsatz-\r\nsteuer  \ufb01nal\u00ad\r\ngut\x00 Mu\u0308ller \ud800 A-\r\nB"
    assert terms.readable(raw, 1000) == "Umsatzsteuer finalgut Müller A-\nB"
