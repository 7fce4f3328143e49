"""What every connector that fetches documents must do."""
# ruff: noqa: S101 - a check is an assertion

from __future__ import annotations

import pytest

from integrations.conformance.bench import ImporterBench
from integrations.conformance.checks.connectors import ConnectorChecks
from integrations.conformance.parts import filler
from integrations.contract import Importer, RemoteFile
from integrations.errors import TargetGone


class ImporterChecks(ConnectorChecks):
    """All of ``ConnectorChecks``, and a change feed that misses nothing and repeats nothing."""

    many = 7  # files; more than fit on one page of the sandbox

    def test_changes_begin_from_now(self, sandbox: ImporterBench, connector: Importer) -> None:
        """No cursor: nothing of the past, and a cursor for what comes."""
        sandbox.put(connector, "old.pdf", b"old")
        page = connector.changes(None)
        assert list(page.items) == []
        assert list(connector.changes(page.cursor).items) == []

    def test_every_file_comes_once_page_by_page(self, sandbox: ImporterBench, connector: Importer) -> None:
        """The same cursor gives the same page."""
        start = connector.changes(None).cursor
        put = {sandbox.put(connector, f"file {turn}.pdf", bytes([turn])) for turn in range(self.many)}
        assert connector.changes(start) == connector.changes(start)
        files, cursor = all_files(connector, start)
        assert sorted(file.id for file in files) == sorted(put)
        assert list(connector.changes(cursor).items) == []

    def test_bytes_come_whole(self, sandbox: ImporterBench, connector: Importer) -> None:
        """In pieces of whatever size."""
        start = connector.changes(None).cursor
        content = filler(3_000_001)
        sandbox.put(connector, "large.pdf", content)
        (file,) = all_files(connector, start)[0]
        assert b"".join(connector.download(file)) == content
        assert file.size == len(content)

    def test_renamed_revised_and_deleted_are_told_apart(self, sandbox: ImporterBench, connector: Importer) -> None:
        """A new name keeps the revision, new content does not, a deleted file is deleted."""
        start = connector.changes(None).cursor
        sandbox.put(connector, "a.pdf", b"one")
        (file,), cursor = all_files(connector, start)
        sandbox.rename(connector, file.id, "b.pdf")
        (renamed,), cursor = all_files(connector, cursor)
        assert (renamed.id, renamed.revision, renamed.name) == (file.id, file.revision, "b.pdf")
        sandbox.revise(connector, file.id, b"two")
        (revised,), cursor = all_files(connector, cursor)
        assert revised.id == file.id
        assert revised.revision != file.revision
        sandbox.discard(connector, file.id)
        (gone,), cursor = all_files(connector, cursor)
        assert (gone.id, gone.deleted) == (file.id, True)

    def test_a_cursor_that_is_no_longer_known_is_told(self, sandbox: ImporterBench, connector: Importer) -> None:
        """So that everything can be read anew, instead of missing what lay between."""
        start = connector.changes(None).cursor
        sandbox.put(connector, "a.pdf", b"one")
        sandbox.forget_cursors(connector)
        with pytest.raises(TargetGone):
            connector.changes(start)


def all_files(connector: Importer, cursor: str) -> tuple[list[RemoteFile], str]:
    """Page by page until there is no more."""
    files: list[RemoteFile] = []
    for _page in range(1000):
        page = connector.changes(cursor)
        files += page.items
        cursor = page.cursor
        if not page.more:
            return files, cursor
    return pytest.fail("the pages do not end")
