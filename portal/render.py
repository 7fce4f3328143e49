"""PDF of HTML. The only place that knows WeasyPrint, which needs Pango from the system and is loaded on first use."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from typing import Any

from portal.errors import Unavailable
from portal.i18n import N_


@dataclass(frozen=True, kw_only=True)
class Attachment:
    """A file inside a PDF; ``relationship`` is ISO 32000-2's AFRelationship ("Data", "Alternative", "Source", …)."""

    name: str
    content: bytes
    description: str = ""
    relationship: str = "Unspecified"


def pdf(html: str, *, pdfa: bool = False, attachments: Sequence[Attachment] = ()) -> bytes:
    """The pages as PDF, as PDF/A-3b (ISO 19005-3, fonts embedded) when asked for.

    The HTML holds everything it needs: styles inline, images as ``data:`` addresses. Nothing is fetched, neither from
    the network nor from the disk, so what a client wrote into an invoice can make the server read nothing.
    Raises Unavailable when the system lacks the libraries.
    """
    weasyprint = _weasyprint()
    document = weasyprint.HTML(string=html, url_fetcher=weasyprint.urls.URLFetcher(allowed_protocols=("data",)))
    options: dict[str, Any] = {"pdf_variant": "pdf/a-3b"} if pdfa else {}
    enclosed = [
        weasyprint.Attachment(
            string=one.content, name=one.name, description=one.description, relationship=one.relationship
        )
        for one in attachments
    ]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # WeasyPrint 70.0 leaves its colour profile's file open
        written: bytes = document.write_pdf(attachments=enclosed or None, **options)
    return _each_attachment_once(written) if enclosed else written


def _each_attachment_once(content: bytes) -> bytes:
    """WeasyPrint 70.0 lists every attachment twice in /AF (Kozea/WeasyPrint#2917), which PDF/A-3 validators refuse."""
    import pikepdf

    out = BytesIO()
    with pikepdf.open(BytesIO(content)) as document:
        files = {file.objgen: file for file in document.Root.AF}
        document.Root.AF = pikepdf.Array(files.values())
        document.save(out, deterministic_id=True)
    return out.getvalue()


@cache
def _weasyprint() -> Any:
    try:
        import weasyprint
        import weasyprint.urls
    except OSError as error:
        raise Unavailable(
            N_("PDF files cannot be made here: the system library Pango is missing (Debian: libpango-1.0-0).")
        ) from error
    return weasyprint
