"""Names that an upload is under way to, so that its repeat knows its own file again though the content differs.

A company's OneDrive may add its own data to what it stores. When the answer of such an upload is lost, no hash tells
the repeat that the file is there. So before a name is used in a company's drive it is claimed in the instance's
memory: nobody else of the instance uses it until the outcome is known, and what our app made there since the claim is
the claimant's.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from integrations.contract import Memory, OutgoingDocument
from integrations.naming import clash_key
from integrations.onedrive import content
from integrations.onedrive.client import Item

_CLOCKS_DIFFER = timedelta(minutes=2)
_ADDED_AT_MOST = 256 * 1024  # bytes that SharePoint may add; what was seen are some kilobytes


@dataclass(frozen=True, kw_only=True)
class Claim:
    """A name in a folder. ``is_mine``: it may be used; ``since``: when an earlier attempt at it began."""

    key: str
    name: str
    reservation: str
    is_mine: bool
    since: datetime | None = None


FREE = Claim(key="", name="", reservation="", is_mine=True)  # where nothing is altered nothing need be claimed


class Claims:
    """Of one instance with one app."""

    def __init__(self, memory: Memory, now: Callable[[], datetime], client_id: str) -> None:
        self._memory, self._now, self._client_id = memory, now, client_id

    def take(self, folder: str, name: str, reservation: str) -> Claim:
        """Claim a name for a delivery, or learn that it was claimed."""
        key = f"naming:{folder}:{clash_key(name)}"
        turn = secrets.token_hex(8)
        told = json.dumps({"for": reservation, "at": self._now().isoformat(), "turn": turn})
        kept = json.loads(self._memory.claim(key, told))
        earlier = datetime.fromisoformat(kept["at"]) if kept["turn"] != turn else None
        mine = kept["for"] == reservation
        return Claim(key=key, name=name, reservation=reservation, is_mine=mine, since=earlier)

    def settle(self, claim: Claim, made: Item | None, document: OutgoingDocument) -> None:
        """The outcome is known. Which file a delivery made is kept where its content does not tell."""
        if not claim.key or not claim.is_mine:
            return
        if made is not None and not content.is_same(made, document):
            self._memory.put(f"made:{claim.reservation}", made.id)
        self._memory.forget(claim.key)

    def made(self, reservation: str) -> str | None:
        """The id of the file that a delivery made, whose receipt may have been lost."""
        return self._memory.get(f"made:{reservation}")

    def left_there(self, claim: Claim, here: Sequence[Item], document: OutgoingDocument) -> Item | None:
        """The file that the earlier attempt left under the claimed name, as the drive made it."""
        if claim.since is None or not claim.is_mine:
            return None
        found = next((item for item in here if clash_key(item.name) == clash_key(claim.name)), None)
        if found is None or found.app != self._client_id or found.created is None:
            return None
        is_new = found.created >= claim.since - _CLOCKS_DIFFER
        return found if is_new and 0 <= found.size - document.size <= _ADDED_AT_MOST else None
