"""Published e-invoices of many makers: every field as labelled, every invalid one named, no crash on any file."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from portal.errors import Invalid
from portal.reading.einvoice.readable import readable
from portal.reading.einvoice.reader import EInvoice, read_einvoice
from portal.reading.findings import Level

DATA = Path(__file__).parents[5] / "shared" / "data"
MANIFEST = DATA / "manifest.jsonl"
NAMES = {"issue_date": "issued_on", "due_date": "due_on"}
MONEY = ("net", "tax", "gross", "prepaid", "payable")

pytestmark = pytest.mark.skipif(not MANIFEST.exists(), reason=f"no published e-invoices at {MANIFEST}")


def rows(kind: str) -> list[dict[str, Any]]:
    lines = MANIFEST.read_text().splitlines() if MANIFEST.exists() else []
    return [row for row in map(json.loads, lines) if row["kind"] == kind]


def is_invalid(row: dict[str, Any]) -> bool:
    return "fail" in row["family"] or bool(row.get("consistency"))


def read(row: dict[str, Any]) -> EInvoice | None:
    path = DATA / row["path"]
    media_type = "application/pdf" if path.suffix.lower() == ".pdf" else "application/xml"
    return read_einvoice(path.read_bytes(), media_type)


def said(einvoice: EInvoice, name: str) -> object:
    found = getattr(einvoice.findings, NAMES.get(name, name))
    if found is None:
        return None
    if name in MONEY:
        return str(found.value.decimal.quantize(Decimal("0.01")))
    return found.value.isoformat() if name in NAMES else found.value


@pytest.mark.parametrize("row", [row for row in rows("einvoice") if not is_invalid(row)], ids=lambda row: row["path"])
def test_a_valid_invoice_is_read_exactly_and_has_no_error(row: dict[str, Any]) -> None:
    einvoice = read(row)
    assert einvoice is not None
    assert einvoice.invoice is not None
    names = ("number", "issue_date", "due_date", "seller", "seller_vat_id", "buyer", "currency", "iban", *MONEY)
    assert {name: said(einvoice, name) for name in names} == {name: row["expect"].get(name) for name in names}
    taxes = [(tax.category, f"{tax.base.decimal:.2f}", f"{tax.tax.decimal:.2f}") for tax in einvoice.findings.taxes]
    assert taxes == [(tax.get("category"), tax["base"], tax["tax"]) for tax in row["expect"].get("taxes", ())]
    assert len(einvoice.invoice.root.of("BG-25")) == row["expect"]["n_lines"]
    assert [flag for flag in einvoice.findings.flags if flag.level is Level.ERROR] == []


@pytest.mark.parametrize("row", [row for row in rows("einvoice") if is_invalid(row)], ids=lambda row: row["path"])
def test_an_invalid_invoice_is_named_with_its_rule(row: dict[str, Any]) -> None:
    einvoice = read(row)
    assert einvoice is not None
    assert [flag.rule for flag in einvoice.findings.flags if flag.rule]


@pytest.mark.parametrize("row", rows("hostile"), ids=lambda row: row["path"])
def test_a_hostile_file_holds_no_invoice_and_breaks_nothing(row: dict[str, Any]) -> None:
    try:
        einvoice = read(row)
    except Invalid:
        return
    assert einvoice is None or einvoice.invoice is None


@pytest.mark.parametrize("language", ["de", "en"])
def test_every_invoice_can_be_shown(language: str) -> None:
    for row in rows("einvoice"):
        einvoice = read(row)
        assert einvoice is not None
        assert einvoice.invoice is not None
        assert readable(einvoice.invoice, language).title
