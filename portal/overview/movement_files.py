"""The movement report as CSV and XLSX. Pure: a report in, bytes out."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal

import xlsxwriter

from portal.i18n import N_
from portal.money import Money
from portal.overview.movements import Line, Report

HEADINGS = (
    N_("Booked on"), N_("Value date"), N_("Counterparty"), N_("Account of the counterparty"), N_("Text"),
    N_("Reference"), N_("Amount"), N_("Currency"), N_("Documents"),
)  # fmt: skip
_WIDTHS = (11, 11, 28, 26, 60, 22, 14, 9, 40)
Cell = str | date | Decimal | None


def table(report: Report, headings: Sequence[str]) -> Iterator[list[Cell]]:
    """Headings and one row per transaction, typed."""
    yield list(headings)
    for line in report.lines:
        yield _row(line)


def _row(line: Line) -> list[Cell]:
    one = line.transaction
    return [
        one.booked_on, one.valued_on, one.name, one.iban, one.text or one.posting, one.reference or one.end_to_end_id,
        Money(one.amount, one.currency).decimal, one.currency,
        ", ".join(document.number or document.filename for document in line.documents),
    ]  # fmt: skip


def as_csv(report: Report, headings: Sequence[str], *, decimal_comma: bool) -> bytes:
    """Semicolons, UTF-8 with a mark, so that spreadsheets open it as it is; amounts in the reader's way."""
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";", lineterminator="\r\n")
    for row in table(report, headings):
        writer.writerow([_plain(cell, decimal_comma=decimal_comma) for cell in row])
    return out.getvalue().encode("utf-8-sig")


def _plain(cell: Cell, *, decimal_comma: bool) -> str:
    if isinstance(cell, Decimal):
        return str(cell).replace(".", ",") if decimal_comma else str(cell)
    if isinstance(cell, date):
        return cell.isoformat()
    text = cell or ""
    # What a stranger wrote into a payment must not run as a formula in somebody's spreadsheet.
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


def as_xlsx(report: Report, headings: Sequence[str], title: str) -> bytes:
    """One sheet; dates and amounts are typed, the headings stay in sight, texts are never formulas."""
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}) as book:
        sheet = book.add_worksheet(_sheet_name(title))
        bold = book.add_format({"bold": True, "bottom": 1})
        day, amount = book.add_format({"num_format": "yyyy-mm-dd"}), book.add_format({"num_format": "#,##0.00"})
        for column, width in enumerate(_WIDTHS):
            sheet.set_column(column, column, width)
        for number, row in enumerate(table(report, headings)):
            for column, cell in enumerate(row):
                if isinstance(cell, Decimal):
                    sheet.write_number(number, column, float(cell), amount)
                elif isinstance(cell, date):
                    sheet.write_datetime(number, column, cell, day)
                elif cell:
                    sheet.write_string(number, column, cell, bold if number == 0 else None)
        sheet.freeze_panes(1, 0)
        sheet.autofilter(0, 0, max(len(report.lines), 1), len(headings) - 1)
    return out.getvalue()


def _sheet_name(title: str) -> str:
    """Excel allows 31 characters and none of these."""
    return "".join("-" if char in "[]:*?/\\'" else char for char in title)[:31] or "1"
