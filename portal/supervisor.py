"""``kontor up``: Redis, web, workers and the scheduler as child processes of one parent.

A child that ends is started again; a stop ends all of them in order; a parent that is killed takes them along.
"""

from __future__ import annotations

import fcntl
import gc
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import structlog

from portal import children
from portal.children import Forked, Running
from portal.config import Incomplete, Settings, adopt, data_folder
from portal.db import Database, upgrade

log = structlog.get_logger()
_LOOK = 0.2  # seconds between looks at the children
_STEADY = 60.0  # seconds after which a child counts as started well
_LONGEST_REST = 30.0
_ASK_AGAIN = 10.0


class Refused(Incomplete):
    """Kontor cannot be started like this; the message says why and what to do."""


@dataclass(frozen=True)
class Role:
    """What one child does. Those with a smaller ``stage`` are stopped first."""

    name: str
    begin: Callable[[], Running]
    patience: float = 15.0  # seconds to end by itself
    stage: int = 0
    again: bool = True  # started again when it ends; else its failure is everybody's
    wanted: Callable[[], bool] | None = None  # asked now and then until there is something for it to do


@dataclass
class Child:
    """One running role, and how often it ended too early."""

    role: Role
    running: Running | None = None
    started: float = 0.0
    failures: int = 0
    rest_until: float = 0.0

    def start(self) -> None:
        """Start it now, or later if there is nothing for it to do yet."""
        self.started = time.monotonic()
        if self.role.wanted is None or self.role.wanted():
            self.running = self.role.begin()

    def look(self) -> None:
        """Start it again when it has ended: at once the first time, then with growing rests."""
        if self.running is None:
            if self.role.wanted is not None and time.monotonic() - self.started > _ASK_AGAIN:
                self.start()
            return
        if self.running.poll() is None:
            return
        if not self.role.again:
            if self.running.returncode:
                raise Refused(f"{self.role.name} failed; what is wrong is said above.")
            return
        now = time.monotonic()
        if not self.rest_until:
            self.failures = 1 if now - self.started > _STEADY else self.failures + 1
            rest = rest_after(self.failures)
            log.warning("child.ended", child=self.role.name, code=self.running.returncode, restart_in=rest)
            self.rest_until = now + rest
        if now >= self.rest_until:
            self.rest_until = 0.0
            self.start()


def rest_after(failures: int) -> float:
    """Seconds to wait before the next start: 0, 1, 3, 7 … 30."""
    return min(2.0 ** (failures - 1) - 1, _LONGEST_REST)


class Supervisor:
    """Keeps children running until it is told to stop."""

    def __init__(self) -> None:
        self.children: list[Child] = []
        self.ended = threading.Event()

    def listen(self) -> None:
        """Take SIGTERM, SIGINT and SIGHUP as the wish to stop."""
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, lambda *_: self.ended.set())

    def add(self, role: Role) -> Child:
        """Start a child and keep it running."""
        child = Child(role)
        self.children.append(child)
        child.start()
        return child

    def wait_until(self, ready: Callable[[], bool], what: str, seconds: float = 60.0) -> bool:
        """Wait until something is ready; False when told to stop before, Refused when it never will be."""
        end = time.monotonic() + seconds
        while not ready():
            if self.ended.wait(0.05):
                return False
            gone = [child.role.name for child in self.children if child.running and child.running.poll() is not None]
            if gone or time.monotonic() > end:
                raise Refused(f"{what} did not start; what is wrong is said above.")
        return True

    def watch(self) -> None:
        """Look after the children until told to stop."""
        while not self.ended.wait(_LOOK):
            for child in self.children:
                child.look()

    def stop(self) -> None:
        """End all children, stage by stage; those of a stage end side by side."""
        for stage in sorted({child.role.stage for child in self.children}):
            _end([child for child in self.children if child.role.stage == stage])


def _end(stage: Sequence[Child]) -> None:
    running = [(child.role, child.running) for child in stage if child.running is not None]
    for _, process in running:
        with suppress(ProcessLookupError):
            process.send_signal(signal.SIGTERM)
    for role, process in running:
        children.stop(process, role.patience)


@contextmanager
def alone(data: Path) -> Iterator[None]:
    """Hold the data folder; Refused while another `kontor up` does. The kernel lets go when we die."""
    with (data / "kontor.lock").open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            file.seek(0)
            raise Refused(f"Kontor runs already on {data} (process {file.read().strip() or 'unknown'}).") from error
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


def listen_on(host: str, port: int, *, next_free: bool = False) -> socket.socket:
    """A listening socket that outlives a restart of the web server; Refused when the port is taken.

    ``next_free``: try the ports above it too.
    """
    for candidate in range(port, min(port + (50 if next_free else 1), 65536)):
        taken = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            taken.bind((host, candidate))
            taken.listen(512)
        except OSError:
            taken.close()
            continue
        return taken
    raise Refused(f"Port {port} of {host} is taken or not allowed. Set KONTOR_PORT to another one.")


def redis_role(settings: Settings) -> Role:
    """The Redis that Kontor starts by itself; Refused when there is none to start."""
    server = children.redis_server()
    if server is None:
        raise Refused("There is no Redis: install redis-server or valkey-server, or set KONTOR_REDIS_URL.")
    kept, endpoint = settings.data / "redis", settings.redis_socket
    kept.mkdir(exist_ok=True)
    _private(endpoint.parent, settings.data)
    command = children.redis_command(server, kept, endpoint)
    return Role("redis", lambda: children.start(command, on_death=signal.SIGTERM), stage=2)


def _private(folder: Path, data: Path) -> None:
    """A folder outside of the data folder must be ours alone: anybody may have made it before."""
    if folder == data:
        return
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    if found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise Refused(f"{folder} belongs to somebody else or is open to others. Remove it and start again.")


def accepts(endpoint: Path) -> bool:
    """Whether somebody listens on a Unix socket."""
    with socket.socket(socket.AF_UNIX) as client, suppress(OSError):
        client.connect(str(endpoint))
        return True
    return False


def answers(url: str) -> bool:
    """Whether a GET of this address of ours succeeds."""
    with suppress(URLError, OSError), urlopen(url, timeout=1) as answer:  # noqa: S310 - our own address
        return bool(answer.status == 200)
    return False


def migrate(settings: Settings) -> None:
    """Bring the database to the present schema."""
    database = Database(settings.database_url)
    try:
        upgrade(database)
    finally:
        database.dispose()


@dataclass(frozen=True)
class Wishes:
    """How to run: where to listen, whether the next free port will do, what to start before everything else."""

    host: str = "127.0.0.1"
    next_free: bool = False
    sandbox: tuple[Role, str] | None = None  # for the demo, with the address at which it will answer
    output: Path | None = None  # a file for what web, workers and scheduler have to say; else it is said here


def up(
    read: Callable[[], Settings], environ: Mapping[str, str], wishes: Wishes, ready: Callable[[Settings, str], None]
) -> None:
    """Run everything until told to stop; ``environ`` is that of this installation.

    ``read`` gives the settings once the sandbox, if any, answers; ``ready`` is called with the address when all runs,
    in a child of its own, so that however long it takes, a stop is heard.
    """
    data = data_folder(environ)
    data.mkdir(parents=True, exist_ok=True)
    supervisor = Supervisor()
    supervisor.listen()
    with ExitStack() as stack:
        stack.enter_context(alone(data))
        stack.callback(supervisor.stop)
        if wishes.sandbox and not _with_sandbox(supervisor, *wishes.sandbox):
            return
        settings = read()
        door = stack.enter_context(listen_on(wishes.host, settings.port, next_free=wishes.next_free))
        address = _address(wishes.host, door)
        if _with_all(supervisor, settings, door, lambda: _roles(settings, environ, door, wishes.output)):
            last = Role(
                "The start",
                lambda: Forked(lambda: ready(settings, address), name="kontor start", closes=[door]),
                again=False,
            )
            supervisor.add(last)
            supervisor.watch()


def _address(host: str, door: socket.socket) -> str:
    return f"http://{f'[{host}]' if ':' in host else host}:{door.getsockname()[1]}"


def _with_sandbox(supervisor: Supervisor, sandbox: Role, url: str) -> bool:
    supervisor.add(sandbox)
    return supervisor.wait_until(lambda: answers(url), "The sandbox")


def _with_all(
    supervisor: Supervisor, settings: Settings, door: socket.socket, roles: Callable[[], Sequence[Role]]
) -> bool:
    """Redis, then the schema, then everything that needs both; False when told to stop meanwhile."""
    if settings.redis_url is None:
        supervisor.add(redis_role(settings))
        if not supervisor.wait_until(lambda: accepts(settings.redis_socket), "Redis"):
            return False
    migrate(settings)
    for role in roles():
        supervisor.add(role)
    family = "[::1]" if door.family is socket.AF_INET6 else "127.0.0.1"
    url = f"http://{family}:{door.getsockname()[1]}/healthz"
    return supervisor.wait_until(lambda: answers(url), "The web server")


def _roles(settings: Settings, environ: Mapping[str, str], door: socket.socket, output: Path | None) -> list[Role]:
    """The parts as functions of this process: what they need is loaded once, here, before the first fork."""
    import worker
    from portal import log, scheduler
    from portal.mailbox import run as mail
    from portal.parts import assemble
    from portal.serving import serve

    def work(queue: str) -> None:
        adopt(environ)
        children.forks_die_too()
        worker.main(queue)

    def schedule() -> None:
        log.configure("scheduler")
        scheduler.run(assemble(settings))

    def receive_mail() -> None:
        log.configure("mail")
        mail.run(assemble(settings))

    def is_mail_wanted() -> bool:
        return mail.is_wanted(settings)

    def role(name: str, run: Callable[[], object], wanted: Callable[[], bool] | None = None) -> Role:
        closes = [] if name == "web" else [door]
        return Role(name, lambda: Forked(run, name=f"kontor {name}", closes=closes, output=output), wanted=wanted)

    gc.collect()
    gc.freeze()  # what is shared stays shared: the children's collector leaves it alone
    return [
        role("web", lambda: serve(settings, f"fd://{door.fileno()}")),
        *(role(f"worker {number}", lambda: work("deliveries")) for number in range(1, settings.workers + 1)),
        role("reader", lambda: work("reading")),
        role("indexer", lambda: work("texts")),
        role("scheduler", schedule),
        role("mail", receive_mail, is_mail_wanted),
    ]
