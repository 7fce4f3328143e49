"""The supervisor over real processes; what `kontor up` runs as a whole is in tests/flows."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from portal import children
from portal.supervisor import Refused, Role, Supervisor, accepts, alone, listen_on, rest_after
from tests.servers import until

SLEEPER = [sys.executable, "-c", "import time; time.sleep(600)"]
STUBBORN = [
    sys.executable,
    "-c",
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('ready', flush=True); time.sleep(600)",
]


def _program(command: list[str]) -> Callable[[], children.Running]:
    return lambda: children.start(command, stdout=subprocess.DEVNULL)


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.fixture
def supervisor() -> Iterator[Supervisor]:
    made = Supervisor()
    yield made
    made.ended.set()
    made.stop()


def test_a_child_that_dies_is_started_again(supervisor: Supervisor) -> None:
    child = supervisor.add(Role("sleeper", _program(SLEEPER)))
    assert child.running is not None
    first = child.running.pid
    os.kill(first, signal.SIGKILL)
    watching = threading.Thread(target=supervisor.watch)
    # The kernel ties a child to the thread that started it, so the watch that restarts it must end after the look.
    threading.Timer(2, supervisor.ended.set).start()
    watching.start()
    until(lambda: child.running and child.running.pid != first and _alive(child.running.pid), 5, "the restart")
    watching.join()


def test_a_fork_tells_how_its_function_ended() -> None:
    assert children.Forked(lambda: None).wait(5) == 0
    assert children.Forked(lambda: sys.exit(3)).wait(5) == 3
    sleeping = children.Forked(lambda: time.sleep(600))
    assert sleeping.poll() is None
    sleeping.kill()
    assert sleeping.wait(5) == -signal.SIGKILL


def test_a_fork_is_found_under_its_name() -> None:
    sleeping = children.Forked(lambda: time.sleep(600), name="kontor worker 12")
    about = Path("/proc") / str(sleeping.pid)
    until(lambda: (about / "comm").read_text().startswith("kontor worker 1"), 5, "its name")
    until(lambda: (about / "cmdline").read_bytes().rstrip(b"\0") == b"kontor worker 12", 5, "its name in ps")
    sleeping.kill()
    sleeping.wait(5)


def test_rests_grow_and_end_at_half_a_minute() -> None:
    assert [rest_after(failures) for failures in (1, 2, 3, 4, 9)] == [0, 1, 3, 7, 30]


def test_a_stop_ends_children_in_stages_and_kills_the_stubborn(supervisor: Supervisor) -> None:
    supervisor.add(Role("last", _program(SLEEPER), stage=2))
    supervisor.add(Role("stubborn", _program(STUBBORN), patience=0.5))
    time.sleep(0.3)
    pids = [child.running.pid for child in supervisor.children if child.running]
    began = time.monotonic()
    supervisor.stop()
    assert time.monotonic() - began < 5
    assert not any(_alive(pid) for pid in pids)


def test_nothing_outlives_a_killed_parent(tmp_path: Path) -> None:
    script = tmp_path / "parent.py"
    script.write_text(
        "import os, sys, time\n"
        "from portal import children\n"
        "child = children.start([sys.executable, '-c', '''\n"
        "import os, time\n"
        "from portal import children\n"
        "children.forks_die_too()\n"
        "forked = os.fork()\n"
        "if forked: print(f'{os.getpid()} {forked}', flush=True)\n"
        "time.sleep(600)\n"
        "'''])\n"
        "time.sleep(600)\n"
    )
    parent = subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    with parent.stdout:
        pids = [int(word) for word in parent.stdout.readline().split()]
        alive = [_alive(pid) for pid in pids]
        parent.kill()
        parent.wait()
    assert alive == [True, True]
    until(lambda: not any(_alive(pid) for pid in pids), 5, "the end of child and grandchild")


def test_a_folder_is_held_by_one(tmp_path: Path) -> None:
    with alone(tmp_path), pytest.raises(Refused, match=str(os.getpid())), alone(tmp_path):
        pass
    with alone(tmp_path):
        pass


def test_a_taken_port_is_refused_or_the_next_one_is_used() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(Refused, match=str(port)):
            listen_on("127.0.0.1", port)
        with listen_on("127.0.0.1", port, next_free=True) as door:
            assert port < door.getsockname()[1] < port + 50


def test_our_redis_listens_on_a_socket_for_its_owner_only(tmp_path_factory: pytest.TempPathFactory) -> None:
    from tests.servers import folder

    server = children.redis_server()
    assert server is not None
    with folder() as place:
        endpoint = place / "redis.sock"
        running = children.start(children.redis_command(server, place, endpoint), stdout=subprocess.DEVNULL)
        try:
            until(lambda: accepts(endpoint), 10, "the start of Redis")
            assert endpoint.stat().st_mode & 0o777 == 0o700
        finally:
            children.stop(running, 5)


def test_a_socket_path_that_is_too_long_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="107"):
        children.redis_command(Path("/usr/bin/redis-server"), tmp_path, tmp_path / ("x" * 120))
