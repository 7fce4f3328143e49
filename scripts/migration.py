"""Write the migration from the newest one to the models: ``python scripts/migration.py "What it does" 0002``."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from alembic import command

from portal.db import Database, alembic


def main(message: str, revision: str) -> None:
    """Compare on a fresh SQLite; the schema is the same on PostgreSQL, and a test sees to it."""
    with tempfile.TemporaryDirectory() as folder:
        database = Database(f"sqlite:///{Path(folder) / 'kontor.db'}")
        with database.engine.execution_options(writes=True).begin() as connection:
            config = alembic(connection)
            command.upgrade(config, "head")
            command.revision(config, message=message, autogenerate=True, rev_id=revision)
        database.dispose()


if __name__ == "__main__":
    main(*sys.argv[1:3])
