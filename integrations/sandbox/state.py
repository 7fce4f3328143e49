"""What the simulators remember: named buckets of JSON values and pieces of file content, in one SQLite file.

With a folder the state survives a restart and even a kill; without one the same code runs on a database in memory.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_SCHEMA = """
CREATE TABLE IF NOT EXISTS thing (
  seq INTEGER PRIMARY KEY, bucket TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL, UNIQUE (bucket, key));
CREATE TABLE IF NOT EXISTS piece (
  key TEXT NOT NULL, number INTEGER NOT NULL, content BLOB NOT NULL, PRIMARY KEY (key, number));
"""


class Store:
    """All state of one sandbox. Threads take turns; ``transaction`` makes several writes one."""

    def __init__(self, folder: Path | None = None) -> None:
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
        path = ":memory:" if folder is None else str(folder / "sandbox.sqlite3")
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=NORMAL")
        self._db.executescript(_SCHEMA)
        self._lock = threading.RLock()
        self._depth = 0
        self._cache: dict[str, dict[str, Any]] = {}
        self.files = Files(self)

    def bucket(self, name: str) -> Bucket:
        """The bucket of that name, empty at first."""
        return Bucket(self, name)

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All or nothing, and nobody else meanwhile. Nested: the inner one can fail alone (a savepoint)."""
        with self._lock:
            depth = self._depth
            self._db.execute(f"SAVEPOINT level{depth}" if depth else "BEGIN IMMEDIATE")
            self._depth += 1
            try:
                yield self._db
            except BaseException:
                self._cache.clear()  # it may hold what is rolled back now
                self._db.execute(f"ROLLBACK TO level{depth}" if depth else "ROLLBACK")
                raise
            else:
                self._db.execute(f"RELEASE level{depth}" if depth else "COMMIT")
            finally:
                self._depth -= 1

    def rows(self, bucket: str) -> dict[str, Any]:
        """The live, parsed content of a bucket in order of arrival; for reading only, under the lock."""
        with self._lock:
            found = self._cache.get(bucket)
            if found is None:
                rows = self._db.execute("SELECT key, value FROM thing WHERE bucket = ? ORDER BY seq", (bucket,))
                found = self._cache[bucket] = {key: json.loads(value) for key, value in rows}
            return found

    def buckets(self, prefix: str) -> list[str]:
        """Names of the buckets that hold something and start with ``prefix``."""
        with self._lock:
            rows = self._db.execute(
                "SELECT DISTINCT bucket FROM thing WHERE substr(bucket, 1, ?) = ? ORDER BY bucket",
                (len(prefix), prefix),
            )
            return [row[0] for row in rows]

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """The database for one read."""
        with self._lock:
            yield self._db

    def close(self) -> None:
        """Close the file; the store is of no use afterwards."""
        with self._lock:
            self._db.close()


class Bucket:
    """A named, ordered mapping of text keys to JSON values. Writes are atomic, alone or within a transaction."""

    def __init__(self, store: Store, name: str) -> None:
        self._store, self.name = store, name

    def get(self, key: str) -> Any:
        """The caller's own copy of a value, or None."""
        with self._store.reading():
            return _copied(self._store.rows(self.name).get(key))

    def peek(self, key: str) -> Any:
        """A value shared with the store, or None: to be read, never changed."""
        with self._store.reading():
            return self._store.rows(self.name).get(key)

    def put(self, key: str, value: Any) -> None:
        """Store a JSON value; a known key keeps its place in the order."""
        text = json.dumps(value, separators=(",", ":"))
        with self._store.transaction() as db:
            rows = self._store.rows(self.name)
            db.execute(
                "INSERT INTO thing (bucket, key, value) VALUES (?, ?, ?) "
                "ON CONFLICT (bucket, key) DO UPDATE SET value = excluded.value",
                (self.name, key, text),
            )
            rows[key] = json.loads(text)

    def delete(self, key: str) -> None:
        """Remove a value; harmless when there is none."""
        with self._store.transaction() as db:
            db.execute("DELETE FROM thing WHERE bucket = ? AND key = ?", (self.name, key))
            self._store.rows(self.name).pop(key, None)

    def clear(self) -> None:
        """Remove all values."""
        with self._store.transaction() as db:
            db.execute("DELETE FROM thing WHERE bucket = ?", (self.name,))
            self._store.rows(self.name).clear()

    def values(self) -> list[Any]:
        """All values in order of first arrival, shared with the store: to be read, never changed."""
        with self._store.reading():
            return list(self._store.rows(self.name).values())

    def items(self) -> list[tuple[str, Any]]:
        """All keys with their values, in the same order, for reading only."""
        with self._store.reading():
            return list(self._store.rows(self.name).items())

    def next_number(self, key: str = "#", first: int = 1) -> int:
        """The next of a rising series kept under ``key``."""
        with self._store.transaction():
            number = int(self.get(key) or first - 1) + 1
            self.put(key, number)
            return number

    def __contains__(self, key: str) -> bool:
        with self._store.reading():
            return key in self._store.rows(self.name)

    def __len__(self) -> int:
        with self._store.reading():
            return len(self._store.rows(self.name))


def _copied(value: Any) -> Any:
    """A deep copy of a JSON value; the general one of the library is several times slower."""
    if isinstance(value, dict):
        return {key: _copied(inner) for key, inner in value.items()}
    return [_copied(inner) for inner in value] if isinstance(value, list) else value


class Files:
    """Content by key, in pieces so that an upload may grow."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def put(self, key: str, content: bytes) -> None:
        """Store ``content`` in place of whatever was there."""
        with self._store.transaction():
            self.delete(key)
            self.append(key, content)

    def append(self, key: str, content: bytes) -> None:
        """Add to the end of ``key``, making it if needed."""
        with self._store.transaction() as db:
            db.execute(
                "INSERT INTO piece (key, number, content) "
                "SELECT ?, coalesce(max(number), 0) + 1, ? FROM piece WHERE key = ?",
                (key, content, key),
            )

    def get(self, key: str) -> bytes | None:
        """The whole content, or None."""
        with self._store.reading() as db:
            pieces = db.execute("SELECT content FROM piece WHERE key = ? ORDER BY number", (key,)).fetchall()
        return b"".join(bytes(piece[0]) for piece in pieces) if pieces else None

    def size(self, key: str) -> int:
        """Bytes held under ``key``."""
        with self._store.reading() as db:
            found = db.execute("SELECT coalesce(sum(length(content)), 0) FROM piece WHERE key = ?", (key,)).fetchone()
        return int(found[0])

    def rename(self, key: str, to: str) -> None:
        """Keep the content under another key, in place of whatever was there."""
        with self._store.transaction() as db:
            db.execute("DELETE FROM piece WHERE key = ?", (to,))
            db.execute("UPDATE piece SET key = ? WHERE key = ?", (to, key))

    def delete(self, key: str) -> None:
        """Remove; harmless when there is none."""
        with self._store.transaction() as db:
            db.execute("DELETE FROM piece WHERE key = ?", (key,))
