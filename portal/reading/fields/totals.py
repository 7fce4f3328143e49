"""Net, tax and total among all amounts: by their labels, and by what adds up."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from portal.reading.fields.amounts import amounts
from portal.reading.fields.labels import Roles, Seen, Sheet
from portal.reading.fields.ranking import Choice, Ranked, best
from portal.reading.words import Page

_TAXES = r"(umsatzsteuer|mehrwertsteuer|versicherungs?steuer|ust|mwst|vat|gst|sst|btw|tva|salestax|tax(es)?|steuern?)"
_WITH = r"(inkl(usive)?|incl(usief|usive|uding|udes?)?|mit|einschl(iesslich|ielich)?|including)"
_WITHOUT = r"(ohne|exkl(usive)?|excl(usief|usive|uding)?|before|zzgl|exclusief|horstaxes|hors)"
_SUM = (
    r"(gesamt|rechnungs|end|total|brutto|netto|rech|factuur|invoice)?(summen?|betrag|betrage|preis|total|amount"
    r"|totaal|montant|wert|entgelt)"
)

_ROLES = Roles(
    [
        (
            "other",
            1.0,
            (
                r"skonto\w{0,12}|(sonder)?rabatt\w{0,10}|discount|nachlass|anzahlung(en)?|prepaid|deposit"
                r"|tips?(?=$)|trinkgeld|einzelpreis|unitprice|unit(?=$)|versand(kosten)?|fracht\w{0,8}"
                r"|shipping|previous\w{0,16}|zuabschlag|(gesamtbetragder)?(zuschlage|abschlage)"
                r"|saldo|saving|points?|guthaben|amountpaid|paid|bezahlt|(erhaltene"
                r"|geleistete)zahlung(en)?"
                r"|tender(ed)?|received|item(s)?count|credits?(?=$)|selbstbeteiligung|rabattbetrag"
                r"|basis(betrag)?(?=$)|grundbetrag|listenpreis|kautionswert|leergutwert|qty"
            ),
        ),
        ("change", 1.0, r"chan(i)?ge(due|returned|given)?|ruckgeld|rueckgeld|wechselgeld|zuruck|balancereturned"),
        ("round", 1.0, r"round(ing|ed)?(adj(ust(ment)?)?|diff)\w{0,6}|rundung\w{0,10}|rounding"),
        ("cash", 1.0, r"cash(tendered|received|paid)?|gegeben|barzahlung|bar(?=$)|geg(?=$)|bargeld|cashreceived|tunai"),
        ("card", 0.6, r"visa|mastercard|credit(card)?(?=$|rm)|eckarte|girocard|maestro|debit|kartenzahlung|card"),
        (
            "net",
            1.0,
            (
                rf"(netto|net(?!t)){_SUM}|{_SUM}(ohne|exkl|excl|netto)\w{{0,4}}{_TAXES}?"
                rf"|{_SUM}net(to)?(?!t)|totalht|summenetto|gesamtnetto|exclusief{_TAXES}?"
                rf"|{_WITHOUT}\d{{0,3}}{_TAXES}(?<!zzglust)(?<!zzglmwst)"
                rf"|(steuer)?basisbetrag|bemessungsgrundlage|taxable\w{{0,8}}|grundlage|grondslag|(total"
                rf"|amount)(before|excl?)\w{{0,12}}|nettowarenwert|total(exclusive|excluding)\w{{0,8}}"
                rf"|steuerbasis\w{{0,8}}|netto(?=\d|$)|prixht|baseht|netamount"
            ),
        ),
        (
            "net",
            0.8,
            (
                r"zwischensumme|sub(total|totaal)|subttl|zwischentotal|nettosumme|netto|warenwert"
                r"|positionssumme|totalcharges"
            ),
        ),
        (
            "gross",
            1.05,
            (
                rf"({_SUM}|total|summe|gesamt){_TAXES}(incl(usive)?|inkl(usive)?)(?!ude)|"
                rf"{_SUM}brutto|brutto{_SUM}|({_SUM}|total|summe|gesamt){_WITH}\d{{0,3}}({_TAXES})?"
                rf"|({_SUM})?(total)?(ttc|{_WITH}\d{{0,3}}{_TAXES})|grandtotal|grossamount|totalgross"
                rf"|gross(total)?"
                r"|gesamt(rechnungs)?(betrag|summe)|rechnungs(gesamt|end)?(betrag|summe|beitrag|total)"
                r"|endbetrag|endsumme|gesamtbrutto|invoice(total|amount|value)|total(invoice|rechnung"
                r"|facture|factuur)|factuurtotaal|totalforthisinvoice|total(payable|amount|sales?)(amount"
                r"|incl\w*)?"
                r"|(total)?(after|rounded)(total|rounding)?|totaldue|nett?total|rechnungsbetraginkl"
                r"|totaltopay|summeeur|totaleur|zuzahlen|brutto(?=\d|$)"
            ),
        ),
        (
            "payable",
            1.0,
            (
                r"zahl(ungs)?betrag|zuzahlender?\w{0,10}|amount(to)?(due|pay)|balance(due)?|due(?=$)"
                r"|offener?(betrag|rechnungsbetrag|posten)|restbetrag|netapayer|soldeapayer"
                r"|(zu)?uberweis\w{0,14}(betrag)?|outstanding\w{0,8}|falligerbetrag|tobepaid|payable"
                r"|tepalen|totaalteb?etalen|lastschriftbetrag"
            ),
        ),
        (
            "tax",
            1.0,
            (
                rf"(zzgl|zuzugl(ich)?|plus|davon|enthaltene?|darin|add|total|gesamt|summe"
                rf"|includes?)\d{{0,4}}{_TAXES}(betrag|amount|gesamt|total)?|{_TAXES}(s?betrage?|amount"
                rf"|gesamt|total|bedrag|collectee|payable)|gesamtbetragder{_TAXES}"
            ),
        ),
        (
            "tax",
            0.9,
            (
                rf"(?<!exkl)(?<!excl)(?<!ohne)(?<!inkl)(?<!incl){_TAXES}(?!id|nr|num|no|reg|invoice|ident"
                rf"|satz|rate|code|summary|basis|able|grund|pflicht|schuld)"
            ),
        ),
        ("gross", 0.8, r"(?<!sub)(?<!zwischen)(total|summe|gesamt|totaal|amountincl)"),
        ("gross", 0.5, r"betrag|amount|montant|bedrag|zahlen|charges(?=$)"),
    ]
)
_RATE = re.compile(r"(?<![\d.,])(\d{1,2}(?:[.,]\d{1,2})?)\s?%")
_CENT, _FIVE = Decimal("0.01"), Decimal("0.05")
_NEVER = -9.0


@dataclass(frozen=True)
class Totals:
    """What was chosen; ``payable`` only where it is printed beside the total."""

    net: Choice[Decimal] | None = None
    tax: Choice[Decimal] | None = None
    gross: Choice[Decimal] | None = None
    payable: Choice[Decimal] | None = None


@dataclass(frozen=True)
class _Amount:
    """An amount and how well it would do in each role."""

    seen: Seen[Decimal]
    scores: Mapping[str, float]
    other: float
    last: bool  # in its row

    @property
    def value(self) -> Decimal:
        return self.seen.value

    def score(self, role: str) -> float:
        return self.scores.get(role, 0.0)


def choose(pages: Sequence[Page]) -> Totals:
    """Net, tax, total and payable amount of a document."""
    sheet = Sheet(pages, amounts(pages))
    if not sheet.seen:
        return Totals()
    rates = _rates(pages)
    judged = _judged(sheet)
    triples = list(_closures(judged, sorted(_USUAL.union(rates)), rates))
    gross = best([_gross(one, judged, triples, sheet) for one in judged])
    payable = best([_payable(one) for one in judged], least=1.5)
    if gross is None:
        return Totals(payable=payable)
    fitting = [triple for triple in triples if triple.gross == gross.value]
    return Totals(_part("net", judged, fitting, gross), _part("tax", judged, fitting, gross), gross, payable)


def _judged(sheet: Sheet[Decimal]) -> list[_Amount]:
    last = {(one.cell.page, one.cell.row): one for one in sheet.seen}
    judged = []
    for one in sheet.seen:
        said = sheet.roles(one, _ROLES, deep=True)
        scores = {role: heard.strength for role, heard in said.items() if role != "other"}
        other = said["other"].strength if "other" in said else 0.0
        if scores.get("round", 0.0) > 0.5 and abs(one.value) > Decimal("0.2"):  # not by how much, but to what
            scores["gross"] = max(scores.get("gross", 0.0), 0.8 * scores.pop("round"))
        judged.append(_Amount(one, scores, other, last[one.cell.page, one.cell.row] is one))
    return judged


@dataclass(frozen=True)
class _Triple:
    """Net and tax that add up to a total, and how good a witness that is."""

    net: Decimal
    tax: Decimal
    gross: Decimal
    worth: float


def _closures(judged: Sequence[_Amount], rates: Sequence[Decimal], seen: Sequence[Decimal]) -> Iterator[_Triple]:
    """All net + tax = gross among amounts with fitting labels; several tax amounts may be one tax together.

    ``rates``: percent, the usual ones too; ``seen``: those that are printed, which may stand for a tax that is not.
    """
    nets, taxes = _by_value(judged, "net"), _by_value(judged, "tax")
    for value in _sums(judged):
        taxes.setdefault(value, 0.3)
    taxes.setdefault(Decimal(0), 0.2)  # nothing is printed where nothing is taxed
    unnamed = {one.value: 0.15 for one in judged if one.other < 0.8}
    labelled = {one.value for one in judged if max(one.score("gross"), one.score("payable"))}
    for gross in sorted({one.value for one in judged}):
        for tax, named in taxes.items():
            net = gross - tax
            printed = nets.get(net, unnamed.get(net, 0.0))
            if gross and abs(tax) < abs(gross) and (printed or tax) and _same_sign(gross, net):
                worth = _worth(net, tax, printed, named, rates)
                if worth > 0.5 and (gross in labelled or (tax and printed > 0.6 and named > 0.6)):
                    yield _Triple(net, tax, gross, worth)
        for net, named in nets.items():
            if any(gross in labelled and gross != net and abs(net + net * rate / 100 - gross) < _CENT for rate in seen):
                yield _Triple(net, gross - net, gross, 0.4 + named)


def _worth(net: Decimal, tax: Decimal, printed: float, named: float, rates: Sequence[Decimal]) -> float:
    if not tax:
        return (0.5 + printed + named) * (0.7 if printed > 0.6 and named > 0.6 else 0.35)
    by_rate = any(abs(net * rate / 100 - tax) <= 2 * _CENT for rate in rates)
    return (0.5 + printed + named if printed else 0.0) + (0.9 if by_rate else 0.0)


def _by_value(judged: Sequence[_Amount], role: str) -> dict[Decimal, float]:
    found: dict[Decimal, float] = {}
    for one in judged:
        if one.score(role) > 0.3:
            found[one.value] = max(found.get(one.value, 0.0), one.score(role))
    return found


def _sums(judged: Sequence[_Amount]) -> Iterator[Decimal]:
    """What the taxes of several rates come to: sums of two to four different tax amounts in the order they stand."""
    taxes = [one.value for one in judged if one.score("tax") > 0.3 and one.value]
    for start in range(min(len(taxes), 40)):
        for count in (2, 3, 4):
            some = taxes[start : start + count]
            if len(some) == count:
                yield sum(some, Decimal(0))
            spread = taxes[start : start + 2 * count : 2]
            if len(spread) == count:
                yield sum(spread, Decimal(0))


def _same_sign(one: Decimal, two: Decimal) -> bool:
    return (one >= 0) is (two >= 0) or not two


_USUAL = frozenset(Decimal(rate) for rate in ("19", "7", "20", "10", "21", "9", "6", "5.5"))


def _rates(pages: Sequence[Page]) -> list[Decimal]:
    """The percentages that are printed."""
    seen = {Decimal(match[1].replace(",", ".")) for page in pages for match in _RATE.finditer(page.text)}
    return sorted(rate for rate in seen if rate > 0)[:30]


def _gross(
    one: _Amount, judged: Sequence[_Amount], triples: Sequence[_Triple], sheet: Sheet[Decimal]
) -> Ranked[Decimal]:
    strength = max(one.score("gross"), 0.72 * one.score("payable"))
    if not one.value:
        return Ranked(one.seen, _NEVER)
    paid = _paid(one.value, judged)
    against = 1.6 * max(one.score("net"), one.score("tax")) + 1.3 * max(
        one.other, one.score("change"), one.score("round")
    )
    score = 2.6 * strength - (0.3 if paid else 1.0) * against - 1.5 * one.score("cash")
    score += max((triple.worth for triple in triples if triple.gross == one.value), default=0.0)
    score += 1.9 if paid else 0.0
    score += 0.35 * min(Counter(other.value for other in judged)[one.value] - 1, 3)
    score += 0.5 if one.value == _largest(judged) else 0.0
    score += 0.9 if _adds_up(one, judged) else 0.0
    score += 2.4 if _is_rounded(one, judged) else 0.0
    score += 0.6 * _depth(one, sheet) - (0.2 if not one.last else 0.0)
    return Ranked(one.seen, score if strength > 0.2 or paid or score > 1.8 else score - 1.5)


def _is_rounded(one: _Amount, judged: Sequence[_Amount]) -> bool:
    """Whether it is what a total above it becomes by rounding to five cents, with the difference printed."""
    if one.value % _FIVE:
        return False
    small = {abs(other.value) for other in judged if 0 < abs(other.value) < _FIVE}
    return any(
        abs(one.value - other.value) in small
        for other in judged
        if other.value % _FIVE and other.seen.key < one.seen.key and max(other.score("gross"), other.score("net")) > 0.5
    )


def _largest(judged: Sequence[_Amount]) -> Decimal:
    named = [one.value for one in judged if one.score("gross") > 0.3 and one.other < 0.5]
    return max(named, default=Decimal(0), key=abs)


def _paid(value: Decimal, judged: Sequence[_Amount]) -> bool:
    """Whether the change that was given says so: cash less change is the total."""
    cash = {one.value for one in judged if max(one.score("cash"), one.score("card")) > 0.5}
    change = {abs(one.value) for one in judged if one.score("change") > 0.5}
    return value > 0 and any(abs(given) - back == value for given in cash for back in change or {Decimal(0)})


def _adds_up(total: _Amount, judged: Sequence[_Amount]) -> bool:
    """Whether the amounts right above it in its column, two or more of them, come to this one."""
    place = total.seen.cell.placed(total.seen.start, total.seen.end)
    near = 0.8 * max(total.seen.cell.height, 6)
    above = [
        one.value
        for one in judged
        if one.seen.cell.page == total.seen.cell.page
        and one.seen.cell.row < total.seen.cell.row
        and abs(one.seen.cell.placed(one.seen.start, one.seen.end).right - place.right) <= near
    ]
    run = Decimal(0)
    for count, value in enumerate(reversed(above[-60:]), 1):
        run += value
        if run == total.value and count >= 2:
            return True
    return False


def _depth(one: _Amount, sheet: Sheet[Decimal]) -> float:
    page = sheet.pages[one.seen.cell.page - sheet.pages[0].number]
    return (one.seen.cell.place.top - page.extent.top) / max(page.extent.bottom - page.extent.top, 1)


def _payable(one: _Amount) -> Ranked[Decimal]:
    strength = one.score("payable")
    return Ranked(
        one.seen, 3.0 * strength - 1.5 * max(one.score("gross") - strength, one.other) if strength else _NEVER
    )


def _part(
    role: str, judged: Sequence[_Amount], fitting: Sequence[_Triple], gross: Choice[Decimal]
) -> Choice[Decimal] | None:
    """Net or tax: a printed amount with its label; that it adds up to the total with the other one counts most."""
    together = max(fitting, key=lambda triple: triple.worth, default=None)
    wanted = None if together is None else together.net if role == "net" else together.tax
    ranked = []
    for one in judged:
        against = max(one.other, 0.6 * one.score("tax" if role == "net" else "net"))
        score = 1.8 * one.score(role) - 1.2 * against
        if together is not None:
            score = score + 1.4 * together.worth if one.value == wanted else 0.5 * score
        if abs(one.value) <= abs(gross.value) and (one.score(role) > 0.3 or one.value == wanted):
            ranked.append(Ranked(one.seen, score))
    return best(ranked, least=0.6)
