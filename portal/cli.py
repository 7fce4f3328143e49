"""The ``kontor`` command. What goes wrong is told in one sentence; the exit code says so too."""

from __future__ import annotations

import argparse
import functools
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from portal import config
from portal.config import Incomplete, Settings
from portal.errors import Error

if TYPE_CHECKING:
    from uuid import UUID

    from sqlmodel import Session

    from portal.parts import Parts

Command = Callable[[argparse.Namespace], int]


class Failed(Exception):
    """A command could not do its work; the message says why."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; 0 when it did its work, 1 when not, 2 for a command line that makes no sense."""
    options = _parser().parse_args(argv)
    os.umask(0o077)  # what a firm keeps is for nobody else on this machine
    run: Command = options.run
    try:
        return run(options)
    except (Incomplete, Failed, Error) as reason:
        print(reason, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="kontor", description="The accountant partner portal. Settings: KONTOR_*.")
    commands = parser.add_subparsers(required=True, metavar="command")

    def add(name: str, run: Command, text: str) -> argparse.ArgumentParser:
        one = commands.add_parser(name, help=text, description=text)
        one.set_defaults(run=run)
        return one

    for name, run, text in (
        ("up", _up, "run everything on this machine: web, workers, scheduler, and a Redis if none is given"),
        ("web", _web, "run a web server"),
    ):
        one = add(name, run, text)
        one.add_argument("--host", default="127.0.0.1", help="address to listen on; 0.0.0.0 for all of this machine's")
        one.add_argument("--with-parent", action="store_true", help="stop when the calling program ends")
    demo = add("demo", _demo, "run a sample firm with simulated providers, its data under data/demo")
    demo.add_argument("--reset", action="store_true", help="throw the demo's data away and begin anew")
    demo.add_argument("--with-parent", action="store_true", help="stop when the calling program ends")
    worker = add("worker", _worker, "run a worker; any number may run, on any machine")
    queues = ("deliveries", "reading", "texts")
    worker.add_argument("--queue", choices=queues, default=queues[0], help="what it works on; texts: for the search")
    add("scheduler", _scheduler, "run the scheduler; a second one waits to take over")
    add("mail", _mail, "receive documents by e-mail and look into mailboxes; any number may run")
    sandbox = add("sandbox", _sandbox, "run the provider simulators alone; prints their base URLs as JSON")
    sandbox.add_argument("--port", type=int, default=0, help="port on 127.0.0.1; 0 chooses a free one")
    sandbox.add_argument("--state", type=Path, help="folder that keeps the state over a restart")
    add("doctor", _doctor, "look at this installation: what is right, what is wrong, what to do")
    backup = add("backup", _backup, "write one consistent archive of database and files")
    backup.add_argument("archive", type=Path)
    backup.add_argument("--with-key", action="store_true", help="put the secret key in; keep the archive safe then")
    restore = add("restore", _restore, "fill an empty installation from an archive")
    restore.add_argument("archive", type=Path)
    restore.add_argument("--take-key", action="store_true", help="use the secret key in the archive from now on")
    token = commands.add_parser("token", help="API tokens").add_subparsers(required=True, metavar="command")
    one = token.add_parser("add", help="make an API token of a member and print it, once")
    one.set_defaults(run=_token_add)
    one.add_argument("--member", metavar="EMAIL", help="whose it is; the firm's owner if there is only one")
    one.add_argument("--name", default="command line", help="what it is for")
    one.add_argument("--scope", action="append", help="read, documents, integrations, admin; repeatable; admin if none")
    one.add_argument("--days", type=int, default=90, help="how long it lasts")
    extract = add("extract", _extract, "read documents (PDF, JPEG, PNG, XML): one JSON line per file")
    extract.add_argument("files", nargs="+", metavar="FILE")
    statement = add("statement", _statement, "read bank statement files: one JSON line per statement")
    statement.add_argument("files", nargs="+", metavar="FILE")
    verify = add("verify", _verify, "prove that every document reached every place where it belongs; non-zero when not")
    verify.add_argument("--remote", action="store_true", help="ask the providers too whether it is still there")
    add("migrate", _migrate, "bring the database to the present schema; `kontor up` does it by itself")
    add("reindex", _reindex, "make the index of the search anew, while Kontor runs or not")
    return parser


def _up(options: argparse.Namespace) -> int:
    from portal import supervisor

    _maybe_with_parent(options)
    environ = config.environment()
    supervisor.up(config.read, environ, supervisor.Wishes(host=options.host), _announce)
    return 0


def _announce(settings: Settings, address: str) -> None:
    database = "SQLite" if settings.database_url.startswith("sqlite") else "PostgreSQL"
    redis = "given by KONTOR_REDIS_URL" if settings.redis_url else "started by Kontor, private to it"
    print(f"Kontor runs at {address}")
    print(f"  data folder {settings.data}, database {database}, Redis {redis}")
    print(f"  running: web, {settings.workers} workers, a reader, an indexer, a scheduler.", flush=True)
    print("  Ctrl-C stops all of it.", flush=True)


def _maybe_with_parent(options: argparse.Namespace) -> None:
    if options.with_parent:
        import signal

        from portal import children

        children.die_with(os.getppid(), signal.SIGTERM)


def _demo(options: argparse.Namespace) -> int:
    from portal.demo import running

    _maybe_with_parent(options)
    running.run(functools.partial(print, flush=True), reset=options.reset)
    return 0


def _web(options: argparse.Namespace) -> int:
    from portal.serving import serve

    settings = config.read()
    _maybe_with_parent(options)
    serve(settings, f"{options.host}:{settings.port}")
    return 0


def _worker(options: argparse.Namespace) -> int:
    import worker
    from portal import children

    config.read()  # says what is missing before anything is loaded
    children.forks_die_too()
    worker.main(options.queue)
    return 0


def _scheduler(_options: argparse.Namespace) -> int:
    from portal import log, scheduler
    from portal.parts import assemble

    parts = assemble(config.read())
    log.configure("scheduler")
    scheduler.run(parts)
    return 0


def _mail(_options: argparse.Namespace) -> int:
    from portal import log
    from portal.mailbox import run
    from portal.parts import assemble

    settings = config.read()
    log.configure("mail")
    try:
        run.run(assemble(settings))
    except OSError as error:
        raise Failed(f"Port {settings.smtp_port} of {settings.smtp_host} cannot be listened on: {error}") from error
    return 0


def _sandbox(options: argparse.Namespace) -> int:
    from integrations.sandbox.__main__ import main as sandbox

    state = ["--state", str(options.state)] if options.state else []
    return sandbox(["--port", str(options.port), *state])


def _extract(options: argparse.Namespace) -> int:
    from portal.reading.cli import main as read

    return read(options.files)


def _statement(options: argparse.Namespace) -> int:
    from portal.banking.statements.cli import main as read

    return read(options.files)


def _migrate(_options: argparse.Namespace) -> int:
    from portal.supervisor import migrate

    migrate(config.read())
    return 0


def _reindex(_options: argparse.Namespace) -> int:
    from portal.documents import search

    with _opened() as parts:
        print(f"{search.rebuild(parts.db)} documents can be found.")
    return 0


def _token_add(options: argparse.Namespace) -> int:
    from portal.accounts import tokens

    with _opened() as parts, parts.db.transaction() as session:
        member_id = _member(session, options.member)
        scopes = options.scope or ["admin"]
        _, secret = tokens.issue(session, parts.vault, member_id, name=options.name, scopes=scopes, days=options.days)
    print(secret)
    return 0


def _member(session: Session, email: str | None) -> UUID:
    from sqlmodel import col, select

    from portal.accounts.models import Member, Person, Role

    found = select(Member.id).join(Person, col(Person.id) == Member.person_id).where(col(Member.ended_at).is_(None))
    whose = Person.email == email.strip().lower() if email else Member.role == Role.OWNER
    members = session.exec(found.where(whose)).all()
    if len(members) != 1:
        raise Failed(f"There is no member {email}." if email else "Say whose token it is: --member EMAIL.")
    return members[0]


def _verify(options: argparse.Namespace) -> int:
    from sqlmodel import select

    from portal import audit
    from portal.accounts.models import Firm
    from portal.delivery import check, completeness
    from portal.delivery.problem import CHAIN_BROKEN

    wrong = 0
    with _opened() as parts, parts.db.snapshot() as session:
        if (number := audit.broken(session, audit.INSTALLATION)) is not None:
            wrong += 1
            print(CHAIN_BROKEN % {"number": number})
        for problem in completeness.deleted(session):
            wrong += 1
            print(problem.text % problem.facts)
        for firm in session.exec(select(Firm)).all():
            remote = check.verify_remote(parts, firm.id) if options.remote else ()
            for problem in chain(completeness.verify(session, firm.id), remote):
                wrong += 1
                where = [str(one) for one in (problem.client_id, problem.document_id, problem.instance_id) if one]
                print(f"{firm.name}: {problem.text % problem.facts} {' '.join(where)}".rstrip())
    print(f"{wrong} things do not hold." if wrong else "Complete: every document is where it belongs.")
    return 1 if wrong else 0


@contextmanager
def _opened() -> Iterator[Parts]:
    """The parts for one command, on a database with the present schema."""
    from sqlalchemy import inspect

    from portal.parts import assemble

    parts = assemble(config.read())
    try:
        if not inspect(parts.db.engine).has_table("firm"):
            raise Failed("There is no Kontor here yet: its database is empty. `kontor doctor` tells which one it is.")
        yield parts
    finally:
        parts.db.dispose()


def _doctor(_options: argparse.Namespace) -> int:
    from portal.doctor import examine

    healthy = True
    for finding in examine(config.read()):
        mark = "ok" if not finding.advice else ("WRONG" if finding.serious else "note")
        print(f"{mark:5}  {finding.subject}: {finding.found}")
        if finding.advice:
            print(f"       {finding.advice}")
            healthy = healthy and not finding.serious
    return 0 if healthy else 1


def _backup(options: argparse.Namespace) -> int:
    from portal.backup import BackupFailed, back_up

    settings = config.read()
    try:
        summary = back_up(settings, options.archive, with_key=options.with_key)
    except (BackupFailed, OSError) as error:
        raise Failed(f"No backup was made. {error}") from error
    print(f"{options.archive}: the database and {summary.files} files of {summary.size:,} bytes.")
    if not summary.with_key:
        print("The secret key is not in it. Keep that apart: without it stored logins cannot be read again.")
    return 0


def _restore(options: argparse.Namespace) -> int:
    from portal.backup import BackupFailed, restore, take_key
    from portal.supervisor import alone

    data = config.data_folder(config.environment())
    data.mkdir(parents=True, exist_ok=True)
    try:
        with alone(data):
            if options.take_key:
                take_key(options.archive, data / "secret.key")
            summary = restore(config.read(), options.archive)
    except (BackupFailed, OSError) as error:
        raise Failed(f"Nothing was restored. {error}") from error
    print(f"Restored the database and {summary.files} files of {summary.size:,} bytes.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
