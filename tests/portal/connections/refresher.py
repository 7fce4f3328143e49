"""A worker of its own process that needs a newer token: ``python -m …refresher <connection>``."""

from __future__ import annotations

import sys
from uuid import UUID

from integrations.errors import ConnectorError
from portal.config import read
from portal.connections.tokens import token_source
from portal.parts import assemble


def main() -> None:
    source = token_source(assemble(read()), UUID(sys.argv[1]))
    stale = source.current()
    say("ready")
    sys.stdin.readline()
    try:
        say(source.refreshed(stale).access)
    except ConnectorError as error:
        say(f"{type(error).__name__}: {error}")


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
