"""What invoices can do besides: be mailed, and be printed."""

from __future__ import annotations

from typing import Any

from werkzeug.wrappers import Response

from integrations.sandbox.quickbooks.company import Company
from integrations.sandbox.quickbooks.fault import Fault, stamp
from integrations.sandbox.quickbooks.names import canonical
from integrations.sandbox.quickbooks.tax import SALES

Entity = dict[str, Any]


def send(company: Company, entity: str, key: str, address: str, limit: int) -> Entity:
    """Mail an invoice to ``address``, else to its own; every sending is kept and shown on the company's page."""
    if entity not in SALES:
        raise Fault(500, f"Operation send on {entity} is not supported.")
    thing = company.get(entity, key)
    address = address or thing.get("BillEmail", {}).get("Address", "")
    if "@" not in address or "." not in address:
        raise Fault(6000, "Business Validation Error: The email address is missing or not valid.", "BillEmail")
    now = company.clock.now()
    day = stamp(now)[:10]
    sent = company.bucket("mails")
    number = company.bucket("sequences").next_number("mail")
    if limit and sum(1 for mail in sent.values() if mail["at"][:10] == day) >= limit:
        raise Fault(6000, "Business Validation Error: The limit of emails for today has been reached.")
    sent.put(str(number), {"to": address, "entity": entity, "id": key, "at": stamp(now)})
    thing |= {
        "BillEmail": {"Address": address}, "EmailStatus": "EmailSent",
        "DeliveryInfo": {"DeliveryType": "Email", "DeliveryTime": stamp(now)},
    }  # fmt: skip
    return company.update(entity, thing)


def pdf(company: Company, name: str, key: str) -> Response:
    """The printed form of an invoice: one plain page."""
    entity = canonical(name) or ""
    if entity not in SALES:
        raise Fault(500, f"Operation pdf on {name} is not supported.")
    thing = company.get(entity, key)
    rows = [
        company.facts["name"],
        f"{entity} {thing.get('DocNumber', '')}",
        f"{thing['TxnDate']}  {thing['CustomerRef'].get('name', '')}",
        *[f"{line.get('Description', '')}  {line['Amount']:.2f}" for line in thing["Line"]
          if line.get("DetailType") == "SalesItemLineDetail" and "Amount" in line],
        f"Total {thing['TotalAmt']:.2f} {thing['CurrencyRef']['value']}",
    ]  # fmt: skip
    return Response(page(rows), content_type="application/pdf")


def page(rows: list[str]) -> bytes:
    """A PDF of one page with these lines of text."""
    shown = "".join(f"({_escaped(row)}) Tj T* " for row in rows)
    stream = f"BT /F1 12 Tf 16 TL 60 780 Td {shown}ET".encode("cp1252", "replace")
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
    ]
    body, places = b"%PDF-1.4\n", []
    for number, content in enumerate(objects, 1):
        places.append(len(body))
        body += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    size = len(objects) + 1
    end = b"trailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (size, len(body))
    return body + b"xref\n0 %d\n0000000000 65535 f \n" % size + table + end


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)").replace("\n", " ")
