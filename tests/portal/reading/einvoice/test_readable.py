"""The readable e-invoice: complete, in the reader's language, and never more than text."""

from __future__ import annotations

from pathlib import Path

import jinja2
import pytest

from portal.reading import xml
from portal.reading.einvoice.checks import check
from portal.reading.einvoice.invoice import Invoice, invoice_of
from portal.reading.einvoice.readable import Readable, readable
from tests.portal.reading.einvoice.builders import cii, ubl, ubl_credit_note, zugferd_1

TEMPLATES = Path(__file__).parents[4] / "templates"
HOSTILE = "&lt;script&gt;alert(1)&lt;/script&gt; 100 % %(x)s {{ 7*7 }}"


def read(content: bytes) -> Invoice:
    invoice = invoice_of(xml.parse(content))
    assert invoice is not None
    return invoice


def html(shown: Readable, template: str = "einvoice/invoice.html", **more: object) -> str:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES), autoescape=True, extensions=["jinja2.ext.i18n"],
        undefined=jinja2.StrictUndefined,
    )  # fmt: skip
    environment.install_gettext_callables(  # type: ignore[attr-defined]
        lambda text: text, lambda one, many, count: one if count == 1 else many, newstyle=True
    )
    return environment.get_template(template).render(shown=shown, **more)


@pytest.mark.parametrize("content", [ubl(), cii(), zugferd_1(), ubl_credit_note()])
def test_everything_that_counts_is_on_the_page(content: bytes) -> None:
    page = html(readable(read(content), "de"))
    for text in (
        "Seller &amp; Söhne GmbH",
        "Käufer AG",
        "10115 Berlin",
        "Deutschland",
        "DE136695976",
        "02.03.2026",
        "Beratung",
    ):
        assert text in page


def test_amounts_and_dates_follow_the_language() -> None:
    german, english = (html(readable(read(ubl()), language)) for language in ("de", "en"))
    assert "160,60\u00a0€" in german
    assert "DE02 1203 0000 0000 2020 51" in german
    assert "€160.60" in english
    assert "2 Mar 2026" in english


def test_totals_come_in_order_and_paid_is_taken_off() -> None:
    rows = [(row.label, row.value) for row in readable(read(ubl()), "en").totals]
    assert [value for _label, value in rows] == [
        "€150.00",
        "-€10.00",
        "€140.00",
        "€20.60",
        "€160.60",
        "-€60.60",
        "€100.00",
    ]


def test_a_credit_note_is_called_one() -> None:
    assert readable(read(ubl_credit_note()), "en").title == "Credit note"


ATTRIBUTE = (
    f"<cac:AdditionalItemProperty><cbc:Name>{HOSTILE}</cbc:Name>"
    f"<cbc:Value>{HOSTILE}</cbc:Value></cac:AdditionalItemProperty>"
)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("R-2026/17", HOSTILE),
        ("Seller &amp; Söhne GmbH", HOSTILE),
        ("Beratung", HOSTILE),
        ("Danke!", HOSTILE),
        ("Rabatt", HOSTILE),
        ('unitCode="HUR"', f'unitCode="{HOSTILE}"'),
        ("DE02 1203 0000 0000 2020 51", HOSTILE),
        (">EUR</cbc:DocumentCurrencyCode>", f">{HOSTILE}</cbc:DocumentCurrencyCode>"),
        (">380<", f">{HOSTILE}<"),
        (">58<", f">{HOSTILE}<"),
        ("</cac:Item>", f"{ATTRIBUTE}</cac:Item>"),
    ],
)
def test_no_text_of_a_stranger_becomes_markup_or_a_format(before: str, after: str) -> None:
    invoice = read(ubl((before, after)))
    page = html(readable(invoice, "de"))
    assert "<script" not in page
    flags = check(invoice)
    told = html(readable(invoice, "de"), "einvoice/flags.html", flags=flags, say=lambda text, facts: text % facts)
    assert "<script" not in told


def test_supporting_documents_are_listed_with_their_size() -> None:
    document = (
        "<cac:AdditionalDocumentReference><cbc:ID>A1</cbc:ID><cac:Attachment><cbc:EmbeddedDocumentBinaryObject "
        'mimeCode="application/pdf" filename="plan.pdf">QUFBQUFB</cbc:EmbeddedDocumentBinaryObject></cac:Attachment>'
        "</cac:AdditionalDocumentReference><cac:AccountingSupplierParty>"
    )
    (support,) = readable(read(ubl(("<cac:AccountingSupplierParty>", document))), "en").supports
    assert (support.filename, support.media_type, support.size) == ("plan.pdf", "application/pdf", 6)


def test_values_that_are_none_are_shown_as_they_are_written() -> None:
    page = html(readable(read(ubl(("2026-03-02", "yesterday"), ("160.60", "lots"))), "en"))
    assert "yesterday" in page


def test_it_becomes_a_pdf() -> None:
    from portal import render

    style = (TEMPLATES.parent / "portal/static/css/einvoice.css").read_text()
    written = render.pdf(html(readable(read(cii()), "de"), "einvoice/pdf.html", style=style, language="de"))
    assert written.startswith(b"%PDF-")
