"""The number of an invoice: what stands at «Rechnungsnummer», «Invoice no.», or right behind the title."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from portal.reading.fields.labels import Roles, Said, Seen, Sheet, Where
from portal.reading.fields.ranking import Choice, Ranked, best
from portal.reading.words import Cell, Page

_TOKEN = re.compile(
    r"(?<![\w@])(?:#\s?)?(?:\d{1,3}(?: \d{3}){2,5}(?![\w.,%])"
    r"|(?=[A-Za-z\-/_.:]{0,20}\d)[A-Za-z0-9][A-Za-z0-9\-/_.:]{0,34}(?:\s[-/]\s(?=[A-Za-z\-/]*\d)[A-Za-z0-9\-/]{1,20})?)"
)
_DATE = re.compile(
    r"[0-3]?\d[./-][01]?\d[./-](?:19|20)?\d\d|(?:19|20)\d\d[./-][01]?\d[./-][0-3]?\d|[0-2]?\d:[0-5]\d(?::[0-5]\d)?"
)
_AMOUNT = re.compile(r"\d{1,3}(?:[.,]\d{3})*[.,]\d\d|\d+[.,]\d{1,4}|\d{1,2}%")
_IBAN = re.compile(r"[A-Z]{2}\d{2}[A-Z0-9]{10,30}")

_DATED = re.compile(r"\s*(?:vom|von|du|dated|of)\s+\d", re.IGNORECASE)
_INVOICE = (
    r"(rechnungs?|rechn?|rechng|rg|re|invoice|inv|bill|faktura|faktur(en)?|facture|factuur|avoir|gutschrifts?"
    r"|credit(note|memo)?|korrektur|storno|(kassen)?bon|beleg|quittungs?|receipt|rcpt|taxinvoice|cashbill|document"
    r"|doc|dokument(en)?|trans(action)?|trx|slip|check|chk|booking|docket|handelsrechnung)"
)
_NO = r"(nummer|nr|num(ber)?|no|#|id|code|ref)"
_ROLES = Roles(
    [
        (
            "other",
            1.1,
            (
                r"(kunden?|bestell|auftrags?|liefer(schein)?|steuer|ust|umsatzsteuer|mwst|vat|tax(payer)?"
                r"|gst|sst|customer|client|klant|order|po|purchaseorder|account|konto|kto|acct|member"
                r"|reg(istration|istrierung)?|telefon|tel|phone|fax|mobil|handy|contract|vertrags?|projekt"
                r"|project|artikel|article|item|table|tisch|"
                r"terminal|kassen?|kassierer|bediener|cashier|till|pos|station|shop|store|markt|filial|co"
                r"|company|business|roc|brn|hrb|hra|mandats?|glaubiger|lieferanten?|supplier|vendor"
                r"|versicherungs?|policen?|serien?|serial|tracking|shipment|ean|gtin|gln|blz|bic|swift"
                r"|sort"
                r"|personal|ihre|approval|auth|batch|trace|tse|signatur|"
                r"card|karten?|kvk|btw|siret|siren|ape|page|seite|lot|job|debtor|debitoren|patienten?|vsnr"
                r"|staff|guest|room|server|queue|counter|bezug|ihrzeichen)(ident)?(s|en)?"
            )
            + _NO
            + r"\w{0,3}",
        ),
        (
            "other",
            0.8,
            (
                r"tel(efon|ephone)?|fax|phone|mobil(e|funk)?|seite|page|kunden?|steuernr|steuernummer"
                r"|ustid\w{0,8}|table|hrb|hra|gln|gtin|amtsgericht|registergericht|postfach|strasse"
                r"|str(?=$)|bestellung|lieferschein|auftrag|order|referenz|reference|ref|vom|datum|date"
                r"|zeitraum|period|vsnr|poststelle|gst(id)?|reg|bestellungnr|angebot"
            ),
        ),
        (
            "other",
            1.2,
            (
                rf"(zu|zur|fur|bezug\w{{0,12}}|betreffend|betrifft|original|urspr\w{{0,12}}|vorherige"
                rf"|bisherige|corrects?|refto|d?origine|ancienne|former)(der|ihrer|unserer"
                rf"|the)?{_INVOICE}s?({_NO})?|{_INVOICE}(d?origine|original)"
                rf"|(abz(u?gl|uglich)|less|minus)\d?(abschlags?|teil|anzahlungs?)?{_INVOICE}s?({_NO})?"
            ),
        ),
        (
            "number",
            1.1,
            (
                rf"(tax)?{_INVOICE}s?(?<!re)(380|381|384|386|387)?{_NO}(#|nr|no)?|(?<![a-z])re{_NO}"
                rf"|no(de)?(la)?facture|numero(de)?(la)?facture|factuurnummer|nummer(der)?rechnung"
                rf"|rechnungsnummer|gutschriftsnummer|taxinvoice#?no"
            ),
        ),
        (
            "number",
            0.85,
            (
                r"(beitrags|schluss|teil|abschlags|handels|sammel|monats|waren|kosten|anzahlungs"
                r"|stornos?)?(rechnungs?(korrektur)?|gutschrift|stornorechnung|invoice|facture|avoir"
                r"|factuur|creditnote|faktura)(n|nr|no|#)?"
            ),
        ),
        (
            "number",
            0.5,
            (
                r"belegnr|beleg|receipt|bill|bon(?=$)|rcpt|document|booking|slip|nr(?=$)|#(?=$)|no(?=$)"
                r"|nummer(?=$)|number(?=$)|rg(?=$)|inv(?=$)"
            ),
        ),
    ]
)


def choose(pages: Sequence[Page], never: Sequence[str]) -> Choice[str] | None:
    """The number; ``never``: tokens that are something else (VAT ids, IBANs), squeezed."""
    forbidden = set(never)
    seen = [
        one
        for page in pages
        for cell in page.cells
        for one in _tokens(cell)
        if re.sub(r"\W", "", one.value) not in forbidden
    ]
    sheet = Sheet(pages, seen)
    return best([_judged(one, sheet.roles(one, _ROLES), sheet) for one in sheet.seen], least=0.9)


def _tokens(cell: Cell) -> Iterator[Seen[str]]:
    for match in _TOKEN.finditer(cell.text):
        printed = match.group().lstrip("# ").rstrip(".,:-/_")
        start = match.start() + match.group().index(printed[0]) if printed else match.start()
        bracketed = (
            cell.text[max(start - 1, 0) : start] == "("
            and cell.text[start + len(printed) : start + len(printed) + 1] == ")"
        )
        ordinal = re.fullmatch(r"\d{1,2}\.", match.group())  # «1. Abschlagsrechnung»
        if printed and not bracketed and not ordinal and _could_be(printed, cell.text[match.end() : match.end() + 2]):
            yield Seen(printed, cell, start, start + len(printed))


def _could_be(printed: str, behind: str) -> bool:
    if _DATE.fullmatch(printed) or _AMOUNT.fullmatch(printed) or _IBAN.fullmatch(printed):
        return False
    digits = sum(char.isdigit() for char in printed)
    return (
        digits > 0
        and len(printed) <= 35
        and not behind.strip().startswith("%")
        and not re.fullmatch(r"[A-Za-z]+:\d.*|\d{1,2}:\d.*", printed)
    )


def _judged(one: Seen[str], said: Mapping[str, Said], sheet: Sheet[str]) -> Ranked[str]:
    mine = said.get("number")
    against = said["other"].strength if "other" in said else 0.0
    if mine is None:
        return Ranked(one, -9.0)
    score = 3.0 * mine.strength - 2.6 * against
    digits = sum(char.isdigit() for char in one.value)
    score += 0.5 if len(one.value) >= 4 else -0.6 if len(one.value) == 1 else 0.0
    score += 0.3 if digits >= 3 else 0.0
    score += 0.3 if re.search(r"[A-Za-z\-/]", one.value) else 0.0
    score -= 0.9 if re.fullmatch(r"(19|20)\d\d", one.value) else 0.0
    score += (
        0.5
        if mine.where is Where.INLINE and not re.search(r"[A-Za-z]{3,}\W+[A-Za-z]{3,}\W*$", sheet.inline(one))
        else 0.0
    )
    score += 0.7 if _DATED.match(one.cell.text[one.end :]) else 0.0
    score += 0.35 * min(sum(other.value == one.value for other in sheet.seen) - 1, 2)
    page = sheet.pages[one.cell.page - sheet.pages[0].number]
    score += 0.5 * (1 - (one.cell.place.top - page.extent.top) / max(page.extent.bottom - page.extent.top, 1))
    score -= 0.6 * (one.cell.page - sheet.pages[0].number)
    return Ranked(one, score)
