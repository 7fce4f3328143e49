"""``kontor doctor``: what this installation needs, each line right or wrong with what to do."""

from __future__ import annotations

import io
import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy.exc import SQLAlchemyError

from portal.config import Settings
from portal.db import Database
from portal.errors import Unavailable

# Files of no firm: the nil UUID (RFC 9562) keeps the probe apart from everything real.
_NOBODY = UUID(int=0)
_MOST_SKEW = timedelta(seconds=60)


@dataclass(frozen=True)
class Finding:
    """One thing looked at; ``advice`` is empty when it is right. ``serious``: the command exits non-zero."""

    subject: str
    found: str
    advice: str = ""
    serious: bool = True


def examine(settings: Settings) -> Iterator[Finding]:
    """Look at everything; a broken part becomes a finding, never an error."""
    examinations: list[Callable[[Settings], Iterator[Finding]]] = [
        _data_folder,
        _secret_key,
        _database,
        _redis,
        _files,
        _pdf,
        _mail,
        _sandbox,
    ]
    for examination in examinations:
        try:
            yield from examination(settings)
        except Exception as error:  # noqa: BLE001 - the doctor goes on to the next patient
            subject = examination.__name__.strip("_").replace("_", " ")
            yield Finding(subject, f"{type(error).__name__}: {error}", "Look at the log; this was not expected.")


def _data_folder(settings: Settings) -> Iterator[Finding]:
    folder = settings.data
    if not folder.is_dir():
        yield Finding("data folder", f"{folder} is not there", "It is made by the first `kontor up`.")
        return
    writable = os.access(folder, os.W_OK | os.X_OK)
    advice = "" if writable else f"Give it to the user Kontor runs as: chown -R {os.getuid()} {folder}"
    yield Finding("data folder", str(folder), advice)
    for name in ("secret.key", "kontor.db"):
        path = folder / name
        if path.exists() and path.stat().st_mode & (stat.S_IROTH | stat.S_IWOTH):
            yield Finding(name, "may be read by everybody on this machine", f"chmod o-rwx {path}")


def _secret_key(settings: Settings) -> Iterator[Finding]:
    from portal.secrets import Vault, new_key

    vault = Vault(settings.secret_key)
    vault.unlock(vault.lock({"probe": 1}))
    short = len(settings.secret_key.split(",")[0]) < len(new_key())
    advice = "Use a long random key; put it in front of the old one, separated by a comma." if short else ""
    yield Finding("secret key", "short" if short else "encrypts and decrypts", advice)


def _database(settings: Settings) -> Iterator[Finding]:
    database = Database(settings.database_url)
    kind = "SQLite" if database.is_sqlite else "PostgreSQL"
    try:
        present, newest = _schema(database)
        advice = "" if present == newest else "Run `kontor migrate` (`kontor up` does it by itself)."
        yield Finding("database", f"{kind} answers, schema {present or 'empty'}", advice)
        if not database.is_sqlite:
            yield _clock(database)
    except SQLAlchemyError as error:
        cause = str(error.__cause__ or error).splitlines()[0]
        yield Finding("database", f"{kind} does not answer: {cause}", "Check KONTOR_DATABASE_URL and its server.")
    finally:
        database.dispose()


def _schema(database: Database) -> tuple[str | None, str | None]:
    from alembic.config import Config
    from alembic.migration import MigrationContext
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", "portal:migrations")
    config.set_main_option("path_separator", "os")
    with database.engine.connect() as connection:
        present = MigrationContext.configure(connection).get_current_revision()
    return present, ScriptDirectory.from_config(config).get_current_head()


def _clock(database: Database) -> Finding:
    """The database server is the one other clock we can ask for sure."""
    from sqlalchemy import text

    from portal import clock

    with database.engine.connect() as connection:
        skew = abs(clock.now() - connection.execute(text("SELECT clock_timestamp()")).scalar_one())
    advice = "Set both machines by NTP: leases and schedules rely on it." if skew > _MOST_SKEW else ""
    return Finding("clock", f"{skew.total_seconds():.1f} seconds from the database server's", advice)


def _redis(settings: Settings) -> Iterator[Finding]:
    from portal import queue

    own = "" if settings.redis_url else " (it is started by `kontor up`)"
    with queue.connect(settings.redis) as client:
        version = queue.version(client)
    if version is None:
        advice = "Start `kontor up`." if own else "Check KONTOR_REDIS_URL and its server."
        yield Finding("Redis", "does not answer", advice)
        return
    old = settings.redis_url is not None and int(version.partition(".")[0]) < 5
    yield Finding("Redis", f"version {version} answers{own}", "RQ needs Redis 5 or newer." if old else "")


def _files(settings: Settings) -> Iterator[Finding]:
    from portal.documents.files import open_files

    files = open_files(settings.files_url)
    try:
        digest, _ = files.put(_NOBODY, io.BytesIO(b"kontor doctor"))
        with files.open(_NOBODY, digest) as stored:
            right = stored.read() == b"kontor doctor"
    except (OSError, Unavailable) as error:
        yield Finding("files", f"cannot be stored: {error}", "Check KONTOR_FILES_URL and its permissions.")
        return
    yield Finding("files", "stored and read back" if right else "read back differently", "" if right else "Replace it.")


def _pdf(_settings: Settings) -> Iterator[Finding]:
    advice = "apt-get install libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 fonts-dejavu-core"
    from portal import render

    try:
        made = render.pdf("<p>Kontor</p>")
    except Unavailable as error:
        yield Finding("PDF files", f"cannot be made: {error.__cause__ or error}", advice)
        return
    yield Finding("PDF files", "can be made", "" if made.startswith(b"%PDF") else advice)


def _mail(settings: Settings) -> Iterator[Finding]:
    from portal import mail

    if settings.mail is None:
        yield Finding("e-mail", "nothing is told by e-mail, because KONTOR_MAIL_URL is not set")
        return
    server = f"{settings.mail.host}:{settings.mail.port}"
    try:
        mail.prove(settings.mail)
    except mail.NotSent as error:
        yield Finding("e-mail", f"cannot be sent by {server}: {error}", "Check KONTOR_MAIL_URL and its server.")
        return
    links = "" if settings.url else "; without links, because KONTOR_URL is not set"
    yield Finding("e-mail", f"{server} takes it from {settings.mail.sender}{links}")


def _sandbox(settings: Settings) -> Iterator[Finding]:
    if settings.sandbox_url:
        text = f"providers are simulated by {settings.sandbox_url}: nothing reaches a real one"
        yield Finding("sandbox", text, "Unset KONTOR_SANDBOX_URL for real work.", serious=False)
