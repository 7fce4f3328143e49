"""How Graph addresses items: by id, or by path below an item.

learn.microsoft.com/graph/onedrive-addressing-driveitems
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_DRIVE = re.compile(r"/(?:me/drive|drives/(?P<drive>[^/]+)|users/(?P<user>[^/]+)/drive)(?P<rest>/.*)?")
_ITEM = re.compile(
    r"/(?:root|items/(?P<item>[^/:]+))(?:(?P<by_path>:/)(?P<path>[^:]*?)/?(?:$|:))?(?:/(?P<action>[^:]+))?"
)


@dataclass(frozen=True)
class Address:
    """One address of the API. ``item`` empty: the drive itself; "root" or an id: there, or at ``names`` below it."""

    drive: str  # an id, or empty for the caller's own
    item: str
    names: tuple[str, ...] = ()
    action: str = ""


def read(path: str) -> Address | None:
    """An address below /v1.0, None when it is none of a drive."""
    found = _DRIVE.fullmatch(path)
    if not found:
        return None
    drive = found["drive"] or found["user"] or ""
    if not found["rest"]:
        return Address(drive, "")
    within = _ITEM.fullmatch(found["rest"])
    if not within:
        return None
    names = tuple(name for name in (within["path"] or "").split("/") if name)
    if within["by_path"] and not names:
        return None
    return Address(drive, within["item"] or "root", names, within["action"] or "")
