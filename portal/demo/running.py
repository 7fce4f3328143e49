"""`kontor demo`: the simulated providers, a sample firm, and Kontor on top of them, all kept under data/demo."""

from __future__ import annotations

import shutil
import signal
import socket
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from sqlmodel import func, select

from portal import children, config, demo
from portal.config import Settings
from portal.documents.models import Document, Reading
from portal.parts import Parts, assemble
from portal.supervisor import Refused, Role, Wishes, alone, up

# The demo never touches an installation for real work: what names one is left out.
_NOT_FOR_THE_DEMO = (
    "KONTOR_DATABASE_URL", "KONTOR_REDIS_URL", "KONTOR_FILES_URL", "KONTOR_SECRET_KEY", "KONTOR_SECRET_KEY_FILE",
)  # fmt: skip
_READ_WITHIN = 90.0  # seconds that the sample's own papers are waited for


def run(tell: Callable[[str], None], *, reset: bool = False) -> None:
    """Run the demo until told to stop; ``tell`` gets what a person should read, a line at a time.

    ``reset`` throws away what earlier ones left.
    """
    data = Path("data/demo").absolute()
    data.mkdir(parents=True, exist_ok=True)
    if reset:
        _empty(data)
    port = _sandbox_port(data)
    url = f"http://127.0.0.1:{port}"
    left_out = dict.fromkeys(_NOT_FOR_THE_DEMO)
    environ = config.environment(**left_out, KONTOR_DATA=str(data), KONTOR_SANDBOX_URL=url)
    command = [sys.executable, "-m", "integrations.sandbox", "--port", str(port), "--state", str(data / "sandbox")]
    sandbox = Role(
        "sandbox",
        lambda: children.start(command, on_death=signal.SIGTERM, stdout=children.NOWHERE),
        stage=1,
    )

    def told(settings: Settings, address: str) -> None:
        tell(f"Kontor runs at {address}; its sample firm is looked after, which takes a minute the first time.")
        logins = _logins(settings, address, tell)
        tell(f"\nThe demo of Kontor runs at {address}\n")
        for login in logins:
            tell(f"  {login}")
        tell(f"\nWhat reached the simulated providers: {settings.sandbox_url}")
        tell(f"Data and kontor.log are in {settings.data}; `make demo RESET=1` begins anew. Ctrl-C stops all of it.")

    wishes = Wishes(next_free=True, sandbox=(sandbox, url), output=data / "kontor.log")
    up(lambda: config.read(environ), environ, wishes, told)


def _empty(data: Path) -> None:
    with alone(data):  # not under a demo that runs
        for path in data.iterdir():
            if path.is_dir():
                shutil.rmtree(path)
            elif path.name != "kontor.lock":
                path.unlink()


def _sandbox_port(data: Path) -> int:
    """A free port for the sandbox, the same as last time if it can be: what was delivered is linked to it."""
    note = data / "sandbox.port"
    wanted = int(note.read_text()) if note.exists() else 8900
    for port in (wanted, *range(8900, 8950), 0):
        with socket.socket() as probe, suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            found = int(probe.getsockname()[1])
            note.write_text(str(found))
            return found
    raise Refused("There is no free port for the sandbox.")


def _logins(settings: Settings, address: str, tell: Callable[[str], None]) -> Sequence[str]:
    """Fill an empty demo; who may sign in, a line each."""
    parts = assemble(settings)
    try:
        logins = demo.seed(parts, address, tell)
        _wait_for_readers(parts, tell)
    finally:
        parts.db.dispose()
    return logins


def _wait_for_readers(parts: Parts, tell: Callable[[str], None]) -> None:
    """What people hand in is read at once only when the sample's own papers are through."""
    end = time.monotonic() + _READ_WITHIN
    waiting = select(func.count()).select_from(Document).where(Document.reading == Reading.WAITING)
    with parts.db.read() as session:
        if session.exec(waiting).one():
            tell("Its papers are being read")
    while time.monotonic() < end:
        with parts.db.read() as session:
            if not session.exec(waiting).one():
                return
        time.sleep(0.5)
