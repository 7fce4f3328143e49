"""What a document is: invoice, credit note, receipt, statement or something else, by the words on it and its shape."""

from __future__ import annotations

import re
from collections.abc import Sequence

from portal.reading.fields.ranking import Choice
from portal.reading.findings import Paper, Source
from portal.reading.words import Page, squeeze

# Word in squeezed text, what it speaks for, how much; titles (short lines) count twice.
_WORDS = (
    (Paper.CREDIT_NOTE, 2.0, re.compile(
        r"gutschrift(?!en)|rechnungskorrektur|stornorechnung|creditnote|creditmemo|^avoir(?!s)|korrekturrechnung"
        r"|creditnota"
    )),
    (Paper.RECEIPT, 1.2, re.compile(
        r"kassenbon|kassenbeleg|quittung|bareinnahme|wechselgeld|ruckgeld|gegeben(bar|eur)|kundenbeleg|cashier"
        r"|kassierer|bediener|cashbill|paymentreceipt|salesreceipt|receiptno|thankyou|change|tendered|tse(signatur"
        r"|seriennummer|transaktion)|goodssold|exchange|pleasecomeagain"
    )),
    (Paper.STATEMENT, 2.5, re.compile(
        r"kontoauszug|kontostand(am|vom)|altersaldo|neuersaldo|bankstatement|accountstatement|openingbalance"
        r"|closingbalance|umsatzubersicht|alterkontostand"
    )),
    (Paper.INVOICE, 1.0, re.compile(
        r"(?<!vor)rechnung|invoice|facture|factuur|rechnungsnummer|rechnungsdatum|duedate|billto"
    )),
    (Paper.OTHER, 1.2, re.compile(
        r"angebot(?=$|nr)|lieferschein(?=$|nr)|auftragsbestatigung|mahnung|quotation|deliverynote|proforma"
        r"|purchaseorder(?=$)|kostenvoranschlag|zahlungserinnerung"
    )),
)  # fmt: skip


def choose(pages: Sequence[Page]) -> Choice[Paper]:
    """The sort of document."""
    lines = [squeeze(cell.text) for page in pages[:3] for cell in page.cells]
    scores = dict.fromkeys(Paper, 0.0)
    for line in lines:
        title = 2.0 if len(line) < 28 else 0.6
        for paper, worth, pattern in _WORDS:
            if found := pattern.search(line):
                scores[paper] = min(scores[paper] + worth * (2.0 if found.start() == 0 else title), 6.0)
    if scores[Paper.CREDIT_NOTE] < 2.5:  # named in passing
        scores[Paper.CREDIT_NOTE] *= 0.3
    scores[Paper.RECEIPT] += 2.5 if _is_slip(pages) else 0.0
    order = sorted(Paper, key=lambda paper: (-scores[paper], list(Paper).index(paper)))
    if scores[order[0]] < 0.6:
        return Choice(Paper.OTHER, 0.5)
    return Choice(order[0], scores[order[0]] - 0.7 * scores[order[1]])


def _is_slip(pages: Sequence[Page]) -> bool:
    """Narrow paper with short rows, as tills print it."""
    page = pages[0]
    extent = page.extent
    wide, high = extent.right - extent.left, extent.bottom - extent.top
    letters = max((sum(len(cell.text) for cell in row) for row in page.rows), default=0)
    narrow = wide < 0.62 * high and letters < 62
    return len(pages) == 1 and narrow and (page.source is Source.OCR or page.width < 320)
