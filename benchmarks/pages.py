"""Client list and document list at 1,000 and 100,000 documents. Anchor: a bare Flask page on the same server.

Each as a browser gets it that asks again while nothing has changed (``portal.web.kept``), and made anew each time.
"""

from __future__ import annotations

import http.client
import os
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from flask import Flask

from benchmarks.archive import Archive, fill
from benchmarks.figures import Figure, percentile
from benchmarks.place import Place, place
from portal.accounts import signing_in
from portal.children import Forked, stop
from portal.config import Settings
from portal.serving import Server
from portal.supervisor import answers, listen_on
from tests import servers

SIZES = (1_000, 100_000)
SECONDS, VISITORS = 4.0, 4


class Bare(Server):
    """The same server with the least that Flask can do."""

    def load(self) -> Any:
        """One page."""
        app = Flask("bare")
        app.add_url_rule("/healthz", view_func=lambda: "hello")
        return app


def measure(database_url: str | None = None) -> list[Figure]:
    """All figures of this script."""
    found: dict[tuple[str, int], tuple[float, float]] = {}
    anew: dict[tuple[str, int], tuple[float, float]] = {}
    bare: list[float] = []
    for size in SIZES:
        with place(database_url) as at:
            archive = fill(at, size)
            headers = _signed_in(at, archive)
            with _serving(Bare, at.parts.settings) as (host, port):
                bare.append(_load(host, port, "/healthz", {})[0])
            with _serving(Server, at.parts.settings) as (host, port):
                for name, path in _paths(archive).items():
                    found[f"{name}, unchanged", size] = _load(host, port, path, headers)
                    anew[f"{name}, made anew", size] = _load(host, port, path, headers, anew=True)
    return [*_figures(found, min(bare)), *_figures(anew, min(bare), goal="")]


def _figures(
    found: Mapping[tuple[str, int], tuple[float, float]], bare: float, goal: str = "≥ 0.3 ×"
) -> Iterator[Figure]:
    for (name, size), (rate, slow) in found.items():
        title = f"{name}, {size:,} documents"
        yield Figure(title, rate, "/s", "bare page", bare, goal, rate >= 0.3 * bare if goal else None)
        yield Figure(f"{title}, 95th percentile", slow * 1000, "ms", "bare page", VISITORS / bare * 1000)
    for name in dict.fromkeys(name for name, _ in found):
        small, large = found[name, SIZES[0]][0], found[name, SIZES[1]][0]
        title = f"{name}: {SIZES[1]:,} documents beside {SIZES[0]:,}"
        yield Figure(title, large, "/s", f"at {SIZES[0]:,}", small, "no growth (≥ 0.8 ×)", large >= 0.8 * small)


def _paths(archive: Archive) -> dict[str, str]:
    return {"client list": "/", "document list": f"/clients/{archive.client_id}/documents/incoming-invoices"}


def _signed_in(at: Place, archive: Archive) -> dict[str, str]:
    """The cookie of a browser in which the owner is signed in, made by the application itself."""
    from portal import create_app
    from portal.web.sessions import remember

    app = create_app(at.parts.settings)
    with at.parts.db.transaction() as session:
        now = signing_in.begin(session, at.parts.vault, archive.person_id, address="127.0.0.1", browser="bench")
    with app.test_request_context("/"):
        from flask import session as cookie

        remember(now)
        answer = app.response_class()
        app.session_interface.save_session(app, cookie, answer)
    app.extensions["kontor"].db.dispose()
    return {"Cookie": answer.headers["Set-Cookie"].partition(";")[0]}


@contextmanager
def _serving(server: type[Server], settings: Settings) -> Iterator[tuple[str, int]]:
    with listen_on("127.0.0.1", 0) as door:
        port = int(door.getsockname()[1])
        running = Forked(lambda: _serve(server, settings, door), output=Path(os.devnull))
        try:
            servers.until(lambda: answers(f"http://127.0.0.1:{port}/healthz"), 60, "the start of the server")
            yield "127.0.0.1", port
        finally:
            stop(running, 15)


def _serve(server: type[Server], settings: Settings, door: socket.socket) -> None:
    from portal.children import forks_die_too

    forks_die_too()
    server(settings, f"fd://{door.fileno()}").run()


def _load(host: str, port: int, path: str, headers: Mapping[str, str], *, anew: bool = False) -> tuple[float, float]:
    """Requests a second of some visitors who never rest, and the time of a slow one in seconds.

    ``anew``: no address is asked for twice, so that nothing that was made before can be the answer.
    """
    with get_context("fork").Pool(VISITORS) as pool:
        visits = pool.starmap(_visit, [(host, port, path, dict(headers), anew)] * VISITORS)
    took = [one for visit in visits for one in visit]
    return len(took) / SECONDS, percentile(took, 0.95)


def _visit(host: str, port: int, path: str, headers: dict[str, str], anew: bool) -> list[float]:
    connection = http.client.HTTPConnection(host, port, timeout=30)
    took: list[float] = []
    for _ in range(3):  # not counted: the browser takes its cookie, the server's caches fill
        headers = {**headers, **_get(connection, path, headers)}
    end = time.perf_counter() + SECONDS
    while (began := time.perf_counter()) < end:
        _get(connection, f"{path}?visit={began}" if anew else path, headers)
        took.append(time.perf_counter() - began)
    connection.close()
    return took


def _get(connection: http.client.HTTPConnection, path: str, headers: dict[str, str]) -> dict[str, str]:
    """One visit; the cookie that the answer sets, if it does."""
    connection.request("GET", path, headers=headers)
    answer = connection.getresponse()
    answer.read()
    if answer.status != 200:
        raise SystemExit(f"{path} answered {answer.status}")
    cookie = answer.headers["Set-Cookie"]
    return {"Cookie": cookie.partition(";")[0]} if cookie else {}


if __name__ == "__main__":
    print(*measure(), sep="\n")
