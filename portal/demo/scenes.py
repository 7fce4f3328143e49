"""Which client shows what, so that every state a document can be in is to be seen somewhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

QUICKBOOKS, DRIVE = "quickbooks", "google_drive"


class Ending(StrEnum):
    """What happens to an integration after it was set up."""

    WORKS = "works"
    PAUSED = "paused"  # what arrives is held
    REVOKED = "revoked"  # the login was taken back at the provider: held, to be reconnected
    BOOKS_CLOSED = "books_closed"  # an invoice of a closed month comes late: failed
    FOLDER_GONE = "folder_gone"  # a month's folder was deleted there: removed at the destination
    DRAFT = "draft"  # set-up begun and not finished


@dataclass(frozen=True, kw_only=True)
class Scene:
    """One integration of one client."""

    kind: str
    ending: Ending = Ending.WORKS
    on_click: bool = False
    early: bool = False  # from before activation on


@dataclass(frozen=True, kw_only=True)
class Cast:
    """What is set up for a client, and what of its papers needs a person."""

    scenes: Sequence[Scene] = ()
    without_kind: bool = False  # the letter comes without a word about what it is
    unsaid: bool = False  # invoices come without a word about what they say: the portal reads them
    without_number: bool = False  # the parcel service's invoices come without what QuickBooks needs
    twice: bool = False  # a supplier sent the same invoice again
    refused: bool = False  # somebody tried to hand in an empty file


CASTS: Mapping[str, Cast] = {
    "10010": Cast(scenes=(Scene(kind=QUICKBOOKS), Scene(kind=DRIVE, early=True)), refused=True),
    "10020": Cast(scenes=(Scene(kind=QUICKBOOKS, ending=Ending.BOOKS_CLOSED), Scene(kind=DRIVE))),
    "10030": Cast(scenes=(Scene(kind=QUICKBOOKS, on_click=True),)),
    "10040": Cast(scenes=(Scene(kind=DRIVE, ending=Ending.PAUSED),), without_kind=True, unsaid=True),
    "10050": Cast(scenes=(Scene(kind=QUICKBOOKS, ending=Ending.REVOKED),)),
    "10060": Cast(scenes=(Scene(kind=QUICKBOOKS),), without_number=True, twice=True),
    "10070": Cast(scenes=(Scene(kind=DRIVE, ending=Ending.FOLDER_GONE, early=True),)),
    "10080": Cast(scenes=(Scene(kind=QUICKBOOKS, ending=Ending.DRAFT),)),
}
