"""One consistent archive of an installation, and back.

The database is copied first, then every file it names. Files are stored before the row that names them and never
changed, so each one is there. The archive is a plain tar: manifest.json, database.sqlite or database.dump, files/.
"""

from __future__ import annotations

import io
import json
import os
import shutil
import sqlite3
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import inspect
from sqlalchemy.engine import make_url
from sqlmodel import col, select

from portal import clock
from portal.config import Settings
from portal.db import Database, upgrade
from portal.documents.files import open_files
from portal.documents.models import StoredFile
from portal.errors import Unavailable
from portal.secrets import Vault

FORMAT = 1
_PROBE = {"kontor": "backup"}
_PAGE = 500


class BackupFailed(Exception):
    """Nothing was backed up or restored; the message says why."""


@dataclass(frozen=True)
class Summary:
    """What went into an archive or came out of it."""

    files: int
    size: int  # bytes of the files
    with_key: bool


def back_up(settings: Settings, archive: Path, *, with_key: bool = False) -> Summary:
    """Write the archive; it appears under its name only when it is whole. Kontor may go on running meanwhile.

    ``with_key``: put the secret key in too; whoever has the archive can then read every stored login.
    """
    beside = archive.with_name(f".{archive.name}.part")
    database = Database(settings.database_url)
    try:
        with tempfile.TemporaryDirectory(prefix="kontor-") as folder, tarfile.open(beside, "w") as tar:
            beside.chmod(0o600)
            copied = _copy_database(database, Path(folder))
            _add(tar, "manifest.json", json.dumps(_manifest(settings, copied.name, with_key=with_key)).encode())
            tar.add(copied, copied.name)
            files, size = _add_files(tar, settings, database)
        beside.replace(archive)
    finally:
        database.dispose()
        beside.unlink(missing_ok=True)
    return Summary(files, size, with_key)


def _manifest(settings: Settings, database: str, *, with_key: bool) -> dict[str, Any]:
    manifest = {
        "format": FORMAT,
        "made_at": clock.now().isoformat(),
        "database": database,
        # whether a key fits can be told without the key
        "probe": Vault(settings.secret_key).lock(_PROBE),
    }
    return manifest | ({"secret_key": settings.secret_key} if with_key else {})


def _add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode, entry.mtime = len(content), 0o600, int(clock.now().timestamp())
    tar.addfile(entry, io.BytesIO(content))


def _copy_database(database: Database, folder: Path) -> Path:
    if database.is_sqlite:
        copied = folder / "database.sqlite"
        with closing(sqlite3.connect(_sqlite_path(database))) as source, closing(sqlite3.connect(copied)) as target:
            source.backup(target)
        return copied
    copied = folder / "database.dump"
    _postgresql(database.url, "pg_dump", "--format=custom", "--no-owner", f"--file={copied}")
    return copied


def _sqlite_path(database: Database) -> str:
    return make_url(database.url).database or ""


def _postgresql(url: str, program: str, *options: str) -> None:
    """Run a tool of PostgreSQL on this database; the password goes by environment, where nobody else sees it."""
    from portal.config import environment

    if shutil.which(program) is None:
        raise BackupFailed(f"{program} is not installed: apt-get install postgresql-client")
    parts = make_url(url)
    plain = parts.set(drivername="postgresql", password=None).render_as_string(hide_password=False)
    password = str(parts.password) if parts.password else None
    environ = environment(PGPASSWORD=password) if password else environment()
    done = subprocess.run(  # noqa: S603 - a fixed program
        [program, f"--dbname={plain}", *options], env=environ, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise BackupFailed(f"{program}: {done.stderr.strip()}")


def _stored(database: Database) -> Iterator[StoredFile]:
    last = UUID(int=0)
    while True:
        with database.read() as session:
            page = session.exec(
                select(StoredFile).where(StoredFile.id > last).order_by(col(StoredFile.id)).limit(_PAGE)
            ).all()
        if not page:
            return
        yield from page
        last = page[-1].id


def _add_files(tar: tarfile.TarFile, settings: Settings, database: Database) -> tuple[int, int]:
    files, number, size = open_files(settings.files_url), 0, 0
    for row in _stored(database):
        try:
            with files.open(row.firm_id, row.sha256) as content:
                entry = tarfile.TarInfo(f"files/{row.firm_id}/{row.sha256}")
                entry.size, entry.mode, entry.mtime = row.size, 0o600, int(row.stored_at.timestamp())
                tar.addfile(entry, content)
        except (Unavailable, OSError) as error:
            raise BackupFailed(f"The file {row.sha256} of firm {row.firm_id} cannot be read.") from error
        number, size = number + 1, size + row.size
    return number, size


def restore(settings: Settings, archive: Path) -> Summary:
    """Fill an empty installation from an archive and bring its schema up to date.

    BackupFailed, with nothing changed in the database, when it is not empty, the archive is damaged, or the present
    secret key does not fit it. Call it while Kontor does not run.
    """
    try:
        with tarfile.open(archive) as tar:
            return _restore(settings, tar)
    except (tarfile.TarError, EOFError, OSError, KeyError, ValueError) as error:
        raise BackupFailed(f"{archive} is no whole backup of Kontor: {error}") from error


def _restore(settings: Settings, tar: tarfile.TarFile) -> Summary:
    manifest = json.loads(_content(tar, tar.getmember("manifest.json")))
    if manifest.get("format") != FORMAT:
        raise BackupFailed("The archive was made by another version of Kontor, which must restore it.")
    _check_key(settings, manifest)
    database = Database(settings.database_url)
    try:
        _check_empty(database)
        _check_engine(database, manifest["database"])
        files, size = _put_files(settings, tar)  # first: a row never names a file that is not there
        _put_database(database, tar, manifest["database"])
        upgrade(database)
    finally:
        database.dispose()
    return Summary(files, size, "secret_key" in manifest)


def _content(tar: tarfile.TarFile, entry: tarfile.TarInfo) -> bytes:
    content = tar.extractfile(entry)
    if content is None:
        raise KeyError(entry.name)
    with content:
        return content.read()


def _check_key(settings: Settings, manifest: dict[str, Any]) -> None:
    try:
        Vault(settings.secret_key).unlock(manifest["probe"])
    except Unavailable as error:
        there = " The archive holds it: `kontor restore --take-key`." if "secret_key" in manifest else ""
        raise BackupFailed(
            "The present secret key is not the one of this backup: stored logins could not be read."
            f" Set KONTOR_SECRET_KEY to the old one, or put the old one behind the new one after a comma.{there}"
        ) from error


def take_key(archive: Path, path: Path) -> None:
    """Write the archive's secret key to ``path``; BackupFailed when it holds none, or a key is there already."""
    with tarfile.open(archive) as tar:
        manifest = json.loads(_content(tar, tar.getmember("manifest.json")))
    if "secret_key" not in manifest:
        raise BackupFailed("The archive holds no secret key: it was made without --with-key.")
    if path.exists():
        raise BackupFailed(f"There is a secret key already. Move {path} away first.")
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(manifest["secret_key"] + "\n")


def _check_empty(database: Database) -> None:
    if inspect(database.engine).has_table("firm"):
        with database.engine.connect() as connection:
            if connection.exec_driver_sql("SELECT 1 FROM firm LIMIT 1").first():
                raise BackupFailed("The database is not empty; a backup is restored into an empty installation only.")


def _check_engine(database: Database, name: str) -> None:
    if database.is_sqlite is not (name == "database.sqlite"):
        wanted = "SQLite" if name == "database.sqlite" else "PostgreSQL"
        raise BackupFailed(f"The backup is of {wanted}, KONTOR_DATABASE_URL names another kind of database.")


def _put_files(settings: Settings, tar: tarfile.TarFile) -> tuple[int, int]:
    files, number, size = open_files(settings.files_url), 0, 0
    for entry in tar.getmembers():
        if not entry.name.startswith("files/"):
            continue
        _, firm_id, sha256 = entry.name.split("/")
        stored, length = files.put(UUID(firm_id), io.BytesIO(_content(tar, entry)))
        if stored != sha256:
            raise BackupFailed(f"The archive is damaged: {entry.name} has other bytes.")
        number, size = number + 1, size + length
    return number, size


def _put_database(database: Database, tar: tarfile.TarFile, name: str) -> None:
    with tempfile.TemporaryDirectory(prefix="kontor-") as folder:
        copied = Path(folder) / name
        copied.write_bytes(_content(tar, tar.getmember(name)))
        if not database.is_sqlite:
            options = ("--no-owner", "--exit-on-error", "--single-transaction", "--clean", "--if-exists", str(copied))
            _postgresql(database.url, "pg_restore", *options)
            return
        place = Path(_sqlite_path(database))
        place.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(copied)) as source, closing(sqlite3.connect(place)) as target:
            source.backup(target)
