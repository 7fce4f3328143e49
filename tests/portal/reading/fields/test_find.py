from __future__ import annotations

from datetime import date

import pytest

from portal.money import Money
from portal.reading import fields
from portal.reading.fields import Known
from portal.reading.findings import Findings, Paper, Source
from tests.portal.reading import sheets


def read(text: str, source: Source = Source.TEXT, known: Known | None = None) -> Findings:
    return fields.find([sheets.page(text, source=source)], known)


def value(findings: Findings, name: str) -> object:
    found = findings.found().get(name)
    return found.value if found else None


def euros(cents: int) -> Money:
    return Money(cents, "EUR")


def test_a_german_invoice_yields_all_its_fields() -> None:
    found = read(sheets.GERMAN)
    assert {name: one.value for name, one in found.found().items() if name != "payable"} == {
        "paper": Paper.INVOICE,
        "number": "RE-2024/0815",
        "issued_on": date(2024, 3, 12),
        "due_on": date(2024, 4, 11),
        "seller": "Muster Werkzeuge GmbH",
        "buyer": "Beispiel Bau AG",
        "seller_vat_id": "DE136695976",
        "currency": "EUR",
        "net": euros(123456),
        "tax": euros(23457),
        "gross": euros(146913),
        "iban": "DE02120300000000202051",
    }


def test_an_english_invoice_yields_its_fields_with_the_month_first() -> None:
    found = read(sheets.ENGLISH)
    assert value(found, "number") == "NW-10023"
    assert value(found, "issued_on") == date(2024, 3, 25)
    assert value(found, "due_on") == date(2024, 4, 24)
    assert value(found, "seller") == "Northwind Traders Ltd"
    assert value(found, "buyer") == "Contoso Group Ltd"
    assert value(found, "gross") == Money(150000, "USD")
    assert value(found, "net") == Money(125000, "USD")


def test_every_value_says_where_it_stands() -> None:
    found = read(sheets.GERMAN)
    assert found.gross is not None
    assert found.gross.box is not None
    assert found.gross.page == 1
    lines = sheets.GERMAN.strip("\n").split("\n")
    row = next(number for number, line in enumerate(lines) if "Rechnungsbetrag" in line)
    assert found.gross.box.top == 40 + row * sheets.LINE


def test_the_same_pages_give_the_same_findings() -> None:
    assert read(sheets.GERMAN) == read(sheets.GERMAN)


@pytest.mark.parametrize(
    ("printed", "cents"),
    [
        ("1.234,56 €", 123456), ("€ 1,234.56", 123456), ("EUR 1 234,56", 123456), ("1'234.56 CHF", 123456),
        ("12,50 EUR", 1250), ("EUR 100,-", 10000), ("1.234.567,89 €", 123456789), ("-45,00 EUR", -4500),
        ("45,00- EUR", -4500), ("$10,375", 1037500),
    ],
)  # fmt: skip
def test_amounts_are_read_as_they_are_written(printed: str, cents: int) -> None:
    found = read(f"Rechnung 17\n\nRechnungsbetrag    {printed}").gross
    assert found is not None
    assert found.value.minor == cents


@pytest.mark.parametrize(
    "printed",
    [
        "07.03.2024",
        "7.3.24",
        "2024-03-07",
        "07/03/2024",
        "7. März 2024",
        "7 March 2024",
        "March 7, 2024",
        "07-Mar-2024",
    ],
)
def test_dates_are_read_as_they_are_written(printed: str) -> None:
    found = read(f"Rechnung Nr. 4711\nRechnungsdatum: {printed}\nSumme 10,00 €").issued_on
    assert found is not None
    assert found.value == date(2024, 3, 7)


def test_a_date_of_delivery_or_order_is_not_the_date_of_issue() -> None:
    found = read("Leistungsdatum 01.02.2024\nBestelldatum 28.01.2024\nRechnungsdatum 05.02.2024").issued_on
    assert found is not None
    assert found.value == date(2024, 2, 5)


def test_customer_and_order_numbers_are_not_the_invoice_number() -> None:
    found = read(
        "Kundennummer 998877\nBestellnummer B-555\nRechnung Nr. 2024-17 vom 05.02.2024\nSteuernr. 12/345/67890"
    ).number
    assert found is not None
    assert found.value == "2024-17"


def test_what_adds_up_wins_over_a_larger_amount_with_a_weaker_label() -> None:
    text = "Netto 100,00 €\nMwSt 19 % 19,00 €\nGesamtbetrag 119,00 €\nalter Saldo 800,00 €\nSumme Konto 919,00 €"
    assert value(read(text), "gross") == euros(11900)


def test_the_change_tells_the_total_of_a_receipt() -> None:
    text = "BAECKEREI SONNE\nBrot      4,20\nKuchen    3,30\n7,50"
    text += "\nGegeben BAR    20,00\nRueckgeld   12,50\n03.05.2024 08:12"
    found = read(text, Source.OCR)
    assert value(found, "gross") == euros(750)
    assert value(found, "issued_on") == date(2024, 5, 3)
    assert value(found, "seller") == "BAECKEREI SONNE"


def test_an_iban_with_wrong_check_digits_is_never_believed() -> None:
    wrong = read("Rechnung 4711\nIBAN DE03 1203 0000 0000 2020 51").iban
    right = read("Rechnung 4711\nIBAN DE02 1203 0000 0000 2020 51").iban
    assert right is not None
    assert wrong is None or wrong.confidence < 0.95 <= right.confidence


def test_letters_that_ocr_mixes_up_are_mended_when_the_check_digits_then_hold() -> None:
    found = read("IBAN DEO2 1203 0000 0000 2O20 51", Source.OCR).iban
    assert found is not None
    assert found.value == "DE02120300000000202051"


def test_the_clients_own_account_is_not_where_the_money_goes() -> None:
    text = "Wir buchen von Ihrem Konto DE02120300000000202051 ab.\nUnser Konto: DE88200800000970375700"
    own = Known(ibans=frozenset({"DE02120300000000202051"}))
    assert value(read(text, known=own), "iban") == "DE88200800000970375700"


@pytest.mark.parametrize(
    ("title", "paper"),
    [
        ("Gutschrift", Paper.CREDIT_NOTE), ("Rechnungskorrektur", Paper.CREDIT_NOTE),
        ("Credit Note", Paper.CREDIT_NOTE),
        ("Rechnung", Paper.INVOICE), ("Tax Invoice", Paper.INVOICE), ("Kontoauszug", Paper.STATEMENT),
        ("Auftragsbestätigung", Paper.OTHER), ("Wanderfreunde", Paper.OTHER),
    ],
)  # fmt: skip
def test_the_title_tells_the_sort_of_paper(title: str, paper: Paper) -> None:
    assert value(read(f"{title}\n\nEin Text"), "paper") is paper


def test_an_empty_sheet_of_words_yields_nothing_but_its_sort() -> None:
    assert set(read("...").found()) <= {"paper"}


def test_an_invoice_that_is_taken_off_is_another_one() -> None:
    found = read(
        "Thormann Ingenieure GmbH\n\nHamburg, 30.06.2026\n\nSchlussrechnung Nr. 2026/44\n\n"
        "Honorar brutto   59.500,00 EUR\n"
        "abzgl. 1. Abschlagsrechnung AR 2026/12 vom 31.03.2026   -23.800,00 EUR\n"
        "noch zu zahlen   35.700,00 EUR"
    )
    assert (value(found, "number"), value(found, "issued_on")) == ("2026/44", date(2026, 6, 30))


@pytest.mark.parametrize(
    ("line", "number"),
    [
        ("Rechnungs-Nr. 7 004 551 902", "7 004 551 902"),
        ("Rechnung-Nr.: 4400-118 / Beleg-Datum 11.06.2026", "4400-118"),
    ],
)
def test_groups_of_digits_are_one_number_and_words_behind_are_no_part_of_it(line: str, number: str) -> None:
    assert value(read(f"Funkwerk AG\n{line}\nGesamtbetrag 67,50 EUR"), "number") == number


def test_a_vat_id_below_bill_to_is_the_buyers() -> None:
    found = read(
        "Nimbus Labs Ltd       Invoice no. NL-4512\n"
        "14 Wharf Road         Bill to\n"
        "London N1 7GR         Acme Robotics GmbH\n"
        "United Kingdom        10119 Berlin\n"
        "                      VAT ID DE129273398\n"
        "VAT GB 980 7806 84\n\n"
        "Total GBP 1,254.60"
    )
    assert value(found, "seller_vat_id") == "GB980780684"


def test_a_name_behind_a_buyers_label_is_not_the_sellers() -> None:
    found = read("Jonas Weidlich\n\nAn: Stadtmagazin Verlag GmbH, 28195 Bremen\n\nRechnung 01/26")
    assert value(found, "seller") == "Jonas Weidlich"


def test_headings_over_several_dates_are_told_apart() -> None:
    found = read(
        "Warenhaus24 GmbH\n\n"
        "Rechnungsnr.    Bestelldatum Rechnungsdatum\n"
        "WH26-00091827   01.04.2026     03.04.2026\n\n"
        "Gesamt 76,98 EUR\n\nBezahlt mit PayPal am 01.04.2026"
    )
    assert value(found, "issued_on") == date(2026, 4, 3)


def test_who_asks_to_pay_by_a_day_says_when_it_is_due() -> None:
    found = read("Rechnung Nr. 31077\nDatum: 08.01.2026\nEndbetrag 175,61 EUR\nBitte zahlen Sie bis zum 07.02.2026.")
    assert value(found, "due_on") == date(2026, 2, 7)
