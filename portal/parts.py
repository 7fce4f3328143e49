"""The parts an entry point needs, put together once: pages, API, jobs and commands all get the same."""

from __future__ import annotations

from dataclasses import dataclass

from portal.config import Settings
from portal.db import Database
from portal.documents.files import Files, open_files
from portal.queue import Bell, connect
from portal.secrets import Vault


@dataclass(frozen=True)
class Parts:
    """Everything that outlives a request or a job."""

    settings: Settings
    db: Database
    files: Files
    vault: Vault


def assemble(settings: Settings) -> Parts:
    """The parts for these settings; connects lazily, so nothing needs to be up yet."""
    db = Database(settings.database_url, Bell(connect(settings.redis)))
    return Parts(settings=settings, db=db, files=open_files(settings.files_url), vault=Vault(settings.secret_key))
