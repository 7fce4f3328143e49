"""What codes mean to people: kinds of invoices, means of payment, units. Codes without a word are shown as they are."""

from __future__ import annotations

from collections.abc import Mapping

from portal.i18n import N_

# UNTDID 1001
KINDS: Mapping[str, str] = {
    "326": N_("Partial invoice"),
    "380": N_("Invoice"),
    "381": N_("Credit note"),
    "384": N_("Corrected invoice"),
    "386": N_("Prepayment invoice"),
    "389": N_("Self-billed invoice"),
    "261": N_("Self-billed credit note"),
    "875": N_("Partial construction invoice"),
    "876": N_("Partial final construction invoice"),
    "877": N_("Final construction invoice"),
}

# UNTDID 4461
MEANS: Mapping[str, str] = {
    "1": N_("Not defined"),
    "10": N_("Cash"),
    "20": N_("Cheque"),
    "30": N_("Credit transfer"),
    "31": N_("Debit transfer"),
    "42": N_("Payment to a bank account"),
    "48": N_("Bank card"),
    "49": N_("Direct debit"),
    "54": N_("Credit card"),
    "55": N_("Debit card"),
    "57": N_("Standing agreement"),
    "58": N_("SEPA credit transfer"),
    "59": N_("SEPA direct debit"),
    "97": N_("Clearing between partners"),
    "ZZZ": N_("As agreed"),
}

# UN/ECE Recommendations 20 and 21
UNITS: Mapping[str, str] = {
    "C62": N_("pcs."),
    "H87": N_("pcs."),
    "EA": N_("pcs."),
    "XPP": N_("pcs."),
    "HUR": N_("hrs."),
    "MIN": N_("min."),
    "DAY": N_("days"),
    "WEE": N_("weeks"),
    "MON": N_("months"),
    "ANN": N_("years"),
    "SET": N_("sets"),
    "PR": N_("pairs"),
    "LS": N_("flat rate"),
    "XPK": N_("packages"),
    "XBX": N_("boxes"),
}

# The same in every language, so never looked up as a message.
SYMBOLS: Mapping[str, str] = {
    "KGM": "kg",
    "GRM": "g",
    "TNE": "t",
    "LTR": "l",
    "MLT": "ml",
    "MTR": "m",
    "CMT": "cm",
    "MMT": "mm",
    "KMT": "km",
    "KTM": "km",
    "MTK": "m²",
    "MTQ": "m³",
    "KWH": "kWh",
    "MWH": "MWh",
    "P1": "%",
}
