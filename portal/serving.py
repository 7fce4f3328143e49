"""The web server: gunicorn with threads, the application loaded once before it forks."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from gunicorn.app.base import BaseApplication

from portal import children, create_app, log
from portal.config import Settings

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

WORKERS, THREADS = 2, 4
# Of a body that nobody wanted: the largest document with what is around it, no more.
READ_OUT = 16_000_000


class ReadOut:
    """Read a request's body to its end, also where the answer did not need it (a refused upload).

    gunicorn promises to keep the connection, then closes it when more than 64 KiB were left unread: the next call of a
    program that keeps its connection would be lost.
    """

    def __init__(self, app: WSGIApplication) -> None:
        self.app = app

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Pass the request on, then see to its body before anything of the answer is sent."""
        answer = self.app(environ, start_response)
        body, left = environ["wsgi.input"], READ_OUT
        try:
            while left > 0 and (piece := body.read(min(left, 1 << 16))):
                left -= len(piece)
        except BaseException:  # whoever sent it is gone
            if hasattr(answer, "close"):
                answer.close()
            raise
        return answer


class Server(BaseApplication):  # type: ignore[misc]  # gunicorn has no types
    """gunicorn with our options. ``bind`` is ``host:port`` or ``fd://number`` of a socket that listens already."""

    def __init__(self, settings: Settings, bind: str) -> None:
        self.settings = settings
        self.options: dict[str, Any] = {
            "bind": bind,
            "worker_class": "gthread",
            "workers": WORKERS,
            "threads": THREADS,
            "preload_app": True,  # half the memory, and a fault at start-up is told at once
            "timeout": 120,  # an upload over a slow line
            "graceful_timeout": 10,
            "keepalive": 15,
            "loglevel": "warning",
            "control_socket_disable": True,
            "proc_name": "kontor web",
        }
        super().__init__()

    def load_config(self) -> None:
        """Our options, nothing from files or the command line."""
        for name, value in self.options.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        """The WSGI application."""
        return ReadOut(create_app(self.settings))


def serve(settings: Settings, bind: str) -> None:
    """Serve until told to stop; requests under way are finished first."""
    log.configure("web")
    children.forks_die_too()
    Server(settings, bind).run()
