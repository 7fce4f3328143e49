"""The way in: bytes of an XML file or a PDF to the e-invoice that they hold."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import BinaryIO

from portal.errors import Invalid
from portal.i18n import N_
from portal.reading import xml
from portal.reading.einvoice.attachments import Attachment, embedded, is_named_invoice
from portal.reading.einvoice.checks import check
from portal.reading.einvoice.invoice import Invoice, findings_of, invoice_of
from portal.reading.findings import Fact, Findings, Flag, Level

UNREADABLE = N_("The e-invoice “%(name)s” inside the PDF cannot be read; only its pages count. %(why)s")
NOTHING = N_("The file is empty, damaged, too large or no XML.")
NO_INVOICE = N_("The file “%(name)s” inside the PDF is no e-invoice of a known standard; only its pages count.")
SEVERAL = N_("The PDF holds several different e-invoices; “%(name)s” was read.")


@dataclass(frozen=True, eq=False)
class EInvoice:
    """What a file holds as e-invoice. ``invoice`` is None when there should be one that cannot be read: see flags."""

    findings: Findings
    invoice: Invoice | None = None
    hybrid: bool = False  # inside a PDF, whose pages must say the same
    name: str = ""  # of the file inside the PDF
    xml: bytes = b""
    attachments: tuple[str, ...] = field(default=())  # names of all files inside the PDF


def read_einvoice(content: BinaryIO | bytes, media_type: str) -> EInvoice | None:
    """The e-invoice of an XML file or a PDF, checked; None when it holds none.

    ``media_type`` is ours ("application/xml", "text/xml", "application/pdf"), from the bytes. An XML file that cannot
    be parsed raises Invalid with the reason; a PDF never does.
    """
    whole = content if isinstance(content, bytes) else content.read(xml.SIZE_LIMIT + 1)
    if media_type == "application/pdf":
        return _of_pdf(whole)
    if media_type in {"application/xml", "text/xml"}:
        invoice = invoice_of(xml.parse(whole))
        return None if invoice is None else EInvoice(_findings(invoice), invoice, xml=whole)
    return None


def _findings(invoice: Invoice) -> Findings:
    return findings_of(invoice).flagged(check(invoice))


def _of_pdf(content: bytes) -> EInvoice | None:
    files = embedded(content)
    tried = [(file, *_tried(file)) for file in files]
    found = [(file, invoice) for file, invoice, _flag in tried if invoice is not None]
    names = tuple(file.name for file in files)
    if not found:
        flags = tuple(flag for _file, _invoice, flag in tried if flag is not None)
        return EInvoice(Findings(flags=flags), hybrid=True, attachments=names) if flags else None
    file, invoice = found[0]
    findings = _findings(invoice)
    others = [findings_of(other) for _file, other in found[1:]]
    if any(_contradicts(findings, other) for other in others):
        findings = findings.flagged([Flag(text=SEVERAL, facts={"name": file.name})])
    return EInvoice(findings, invoice, hybrid=True, name=file.name, xml=file.content, attachments=names)


def _tried(file: Attachment) -> tuple[Invoice | None, Flag | None]:
    """The invoice that a file inside a PDF is, or what is wrong when its name promises one."""
    if not file.content and not is_named_invoice(file):
        return None, None
    if not file.content:
        return None, Flag(text=UNREADABLE, facts={"name": file.name, "why": [NOTHING]}, level=Level.ERROR)
    try:
        invoice = invoice_of(xml.parse(file.content))
    except Invalid as error:
        why: Fact = str(error.facts["why"]) if error.facts else [error.text]
        flag = Flag(text=UNREADABLE, facts={"name": file.name, "why": why}, level=Level.ERROR)
        return None, flag if is_named_invoice(file) else None
    if invoice is None and is_named_invoice(file):
        return None, Flag(text=NO_INVOICE, facts={"name": file.name}, level=Level.ERROR)
    return invoice, None


def _contradicts(one: Findings, other: Findings) -> bool:
    """Whether two e-invoices of one PDF differ in what an accountant books."""
    names = ("number", "issued_on", "net", "tax", "gross")
    first, second = one.found(), other.found()
    return any(name in first and name in second and first[name].value != second[name].value for name in names)
