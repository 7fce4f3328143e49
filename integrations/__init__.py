"""Connectors: one folder a provider, and the one list that names them. Imports nothing of the portal."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from typing import cast

from integrations.contract import Connector, Wiring

# The one line that a new connector adds. Third parties use the entry point group "kontor.connectors" instead.
KINDS: dict[str, str] = {
    "quickbooks": "integrations.quickbooks.connector:QuickBooks",
    "google_drive": "integrations.google_drive.connector:GoogleDrive",
    "dropbox": "integrations.dropbox.connector:DropboxExport",
    "onedrive": "integrations.onedrive.connector:OneDrive",
    "webdav": "integrations.webdav.connector:WebDav",
    "s3": "integrations.s3.connector:S3Bucket",
}


@cache
def kinds() -> dict[str, str]:
    """Every known kind and where its class is: ours first, then installed third-party ones under other names."""
    others = {point.name: point.value for point in entry_points(group="kontor.connectors")}
    return {**others, **KINDS}


def register(kind: str, target: str) -> None:
    """Add a kind of one's own ("package.module:Class") in this process, as an entry point does for all."""
    KINDS[kind] = target
    kinds.cache_clear()
    get.cache_clear()


@cache
def get(kind: str) -> type[Connector]:
    """The class of a kind; KeyError when there is none of that name."""
    module, name = kinds()[kind].split(":")
    return cast("type[Connector]", getattr(import_module(module), name))


def build(kind: str, wiring: Wiring) -> Connector:
    """A live connector of a kind."""
    return get(kind)(wiring)
