"""``kontor sandbox``: serve the simulators on loopback until told to stop; prints their base URLs as JSON."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from integrations.sandbox.app import Sandbox
from integrations.sandbox.server import Server


def main(argv: Sequence[str] | None = None) -> int:
    """Serve until SIGTERM or Ctrl-C; the exit code is 0, or 1 when the port is taken."""
    options = _options(argv)
    sandbox = Sandbox(options.state)
    try:
        server = Server(sandbox, options.port)
    except OSError as error:
        print(f"cannot listen on port {options.port}: {error}", file=sys.stderr)  # noqa: T201 - a command
        sandbox.close()
        return 1
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with server:
        print(json.dumps(sandbox.base_urls(server.url)), flush=True)  # noqa: T201 - what the command is for
        stop.wait()
        sandbox.hurry()
    sandbox.close()
    return 0


def _options(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="kontor sandbox", description="Provider simulators on loopback.")
    parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1; 0 chooses a free one")
    parser.add_argument("--state", type=Path, default=None, help="folder that keeps the state over a restart")
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
