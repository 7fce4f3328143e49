"""Firms that do not exist, with numbers that pass every check digit and belong to nobody.

VAT ids and bank codes begin with 9 where Germany gives out none (VAT ids below DE4…, bank codes of areas 1 to 8).
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from dataclasses import dataclass

from stdnum.gb import vat as gb_vat
from stdnum.ie import vat as ie_vat
from stdnum.iso7064 import mod_11_10

_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue", "&": " und "})


@dataclass(frozen=True, kw_only=True)
class Company:
    """One side of an invoice. ``place`` is postcode and town as printed; ``vat_id`` is None for the smallest."""

    name: str
    street: str
    place: str
    country: str = "DE"
    vat_id: str | None = None
    tax_number: str = ""
    iban: str = ""
    bic: str = ""
    bank: str = ""
    email: str = ""
    phone: str = ""
    head: str = ""  # who speaks for it
    register: str = ""
    claim: str = ""  # the line below the name on its paper
    colour: str = "#23395d"

    @property
    def postcode(self) -> str:
        """The postcode alone."""
        return self.place.split(" ", 1)[0] if self.country == "DE" else self.place.rsplit(", ", 1)[-1]

    @property
    def town(self) -> str:
        """The town alone."""
        return self.place.split(" ", 1)[1] if self.country == "DE" else self.place.rsplit(", ", 1)[0]

    @property
    def web(self) -> str:
        """The address of its pages."""
        return "www." + self.email.partition("@")[2]


def digits(text: str, count: int) -> str:
    """``count`` decimal digits that always follow from ``text``."""
    return str(int(hashlib.sha256(text.encode()).hexdigest(), 16))[-count:].zfill(count)


def iban(country: str, bban: str) -> str:
    """The account number with its check digits (ISO 13616: 98 minus the number modulo 97)."""
    rearranged = "".join(str(int(char, 36)) for char in f"{bban}{country}00")
    return f"{country}{98 - int(rearranged) % 97:02d}{bban}"


def german(name: str, street: str, place: str, *, small: bool = False, **more: str) -> Company:
    """A German firm; ``small``: without a VAT id (§ 19 UStG). ``more``: head, register, claim, colour, bank, email."""
    stem = "9" + digits(name, 7)
    bank_code, bank, bic = _BANKS[int(digits(name + "bank", 2)) % len(_BANKS)]
    town = digits(name + "tax", 10)
    return Company(
        name=name,
        street=street,
        place=place,
        vat_id=None if small else f"DE{stem}{mod_11_10.calc_check_digit(stem)}",
        tax_number=f"{town[:2]}/{town[2:5]}/{town[5:]}",
        iban=iban("DE", bank_code + digits(name + "account", 10)),
        bic=bic,
        bank=bank,
        phone=f"+49 {3000 + int(digits(place, 3))} 55{digits(name + 'phone', 4)}",
        **{"email": f"rechnung@{_domain(name)}.example", **more},
    )


def british(name: str, street: str, place: str, **more: str) -> Company:
    """A British firm; the VAT number's check digits are right (weights 8 to 2, modulo 97)."""
    stem = "9" + digits(name, 6)
    check = next(two for two in (f"{n:02d}" for n in range(97)) if gb_vat.checksum(stem + two) == 0)
    return Company(
        name=name,
        street=street,
        place=place,
        country="GB",
        vat_id=f"GB{stem}{check}",
        iban=iban("GB", "KTDM" + "999901" + digits(name, 8)),
        bic="KTDMGB2LXXX",
        bank="Thameside Demonstration Bank",
        phone=f"+44 20 7946 0{digits(name, 3)}",
        **{"email": f"accounts@{_domain(name)}.example", **more},
    )


def irish(name: str, street: str, place: str, **more: str) -> Company:
    """An Irish firm, as large software houses are; seven digits and a check letter."""
    stem = "9" + digits(name, 6)
    return Company(
        name=name,
        street=street,
        place=place,
        country="IE",
        vat_id=f"IE{stem}{ie_vat.calc_check_digit(stem)}",
        iban=iban("IE", "KTDM" + "990001" + digits(name, 8)),
        bic="KTDMIE2DXXX",
        bank="Liffey Demonstration Bank",
        phone=f"+353 1 555 {digits(name, 4)}",
        **{"email": f"billing@{_domain(name)}.example", **more},
    )


_BANKS = (
    ("90010010", "Hanseatische Handelsbank", "HHBKDEFFXXX"),
    ("92050040", "Genossenschaftsbank Nordlicht eG", "GNLIDEFFXXX"),
    ("93070070", "Stadtsparkasse Musterhafen", "SSMHDEFFXXX"),
)


def _domain(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name.translate(_UMLAUTS)).encode("ascii", "ignore").decode().lower()
    words = re.findall(r"[a-z0-9]+", plain)
    forms = {"gmbh", "kg", "co", "und", "ag", "e", "k", "ltd", "limited", "mbb", "partgmbb", "eg", "ohg"}
    return "-".join(word for word in words if word not in forms)[:40].strip("-")
