"""Which standard an invoice says that it follows (BT-24), and so which rules bind it."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from enum import StrEnum


class Syntax(StrEnum):
    """The languages of e-invoices that are read."""

    UBL_INVOICE = "UBL Invoice"
    UBL_CREDIT_NOTE = "UBL CreditNote"
    CII = "UN/CEFACT CII"
    ZUGFERD_1 = "ZUGFeRD 1.0"


class Scope(StrEnum):
    """How much of EN 16931 a profile takes on."""

    BEFORE = "before"  # ZUGFeRD 1.0 is older than the standard
    MINIMUM = "minimum"  # MINIMUM: totals alone
    HEADER = "header"  # BASIC WL: no lines
    CORE = "core"
    EXTENDED = "extended"  # an extension, which may relax rules


@dataclass(frozen=True)
class Profile:
    """A specification as people call it, its scope, and whether the national and network rules of Peppol apply."""

    name: str
    scope: Scope
    peppol: bool = False
    xrechnung: bool = False
    known: bool = True  # whether the identifier is written as its standard asks
    meant: bool = True  # whether it is one at all


# The first pattern that occurs in the identifier decides; the more special ones stand first.
_KNOWN: tuple[tuple[str, Profile], ...] = (
    (r"xrechnung.*extension", Profile("XRechnung Extension", Scope.EXTENDED, xrechnung=True)),
    (r"xrechnung", Profile("XRechnung", Scope.CORE, xrechnung=True)),
    (r"peppol\.eu:(2017:)?poacc:(billing|selfbilling)", Profile("Peppol BIS Billing 3.0", Scope.CORE, peppol=True)),
    (r"ferd:.*invoice:.*basic", Profile("ZUGFeRD 1.0 BASIC", Scope.BEFORE)),
    (r"ferd:.*invoice:.*comfort", Profile("ZUGFeRD 1.0 COMFORT", Scope.BEFORE)),
    (r"ferd:.*invoice:.*extended", Profile("ZUGFeRD 1.0 EXTENDED", Scope.BEFORE)),
    (r"(zugferd|factur-x).*extended", Profile("Factur-X EXTENDED", Scope.EXTENDED)),
    (r"(zugferd|factur-x).*basicwl", Profile("Factur-X BASIC WL", Scope.HEADER)),
    (r"(zugferd|factur-x).*basic", Profile("Factur-X BASIC", Scope.CORE)),
    (r"(zugferd|factur-x).*minimum", Profile("Factur-X MINIMUM", Scope.MINIMUM)),
    (r"(zugferd|factur-x).*en16931", Profile("Factur-X EN 16931", Scope.CORE)),
    (r"cen\.eu:en16931:2017#conformant", Profile("EN 16931 extension", Scope.EXTENDED)),
    (r"cen\.eu:en16931:2017$|cen\.eu:en16931:2017#", Profile("EN 16931", Scope.CORE)),
)


# How the identifiers are built: the standard, then what is compliant or conformant with it; or one of their own.
_OFFICIAL = re.compile(
    r"urn:cen\.eu:en16931:2017(#(compliant|conformant)#urn:[^#]+)*"
    r"|urn:(zugferd\.de:2p0|factur-x\.eu:1p0):(minimum|basicwl)"
    r"|urn:ferd:(crossindustrydocument:)?invoice:(1p0|rc):(basic|comfort|extended)"
)


def profile_of(identifier: str, syntax: Syntax) -> Profile:
    """The profile of a specification identifier (BT-24).

    One that is not written as its standard asks is taken for the profile it means, but is not ``known``; one that
    means none binds to the rules of its syntax alone.
    """
    written = identifier.lower()
    meant = next((profile for pattern, profile in _KNOWN if re.search(pattern, written)), None)
    if meant is None:
        scope = Scope.BEFORE if syntax is Syntax.ZUGFERD_1 else Scope.CORE
        meant = Profile(identifier or str(syntax), scope, meant=False)
    return replace(meant, known=not identifier or bool(_OFFICIAL.fullmatch(written)))
