"""The web server: gunicorn with threads, the application loaded once before it forks."""

from __future__ import annotations

from typing import Any

from gunicorn.app.base import BaseApplication

from portal import children, create_app, log
from portal.config import Settings

WORKERS, THREADS = 2, 4


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
        return create_app(self.settings)


def serve(settings: Settings, bind: str) -> None:
    """Serve until told to stop; requests under way are finished first."""
    log.configure("web")
    children.forks_die_too()
    Server(settings, bind).run()
