from __future__ import annotations

import io
import tarfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from sqlmodel import select

from portal.backup import BackupFailed, back_up, restore, take_key
from portal.clients.models import Client
from portal.config import Settings
from portal.documents.models import Document
from portal.parts import Parts, assemble
from portal.secrets import new_key
from tests import factories

CONTENT = b"%PDF-1.4 kept for ten years"


@pytest.fixture
def elsewhere(settings: Settings, empty_database_url: str, tmp_path: Path) -> Settings:
    """A second, empty installation with the same key."""
    data = tmp_path / "elsewhere"
    return replace(settings, data=data, database_url=empty_database_url, files_url=f"file://{data / 'files'}")


@pytest.fixture
def archive(parts: Parts, settings: Settings, tmp_path: Path) -> Path:
    with parts.db.transaction() as session:
        client = factories.client(session, factories.firm(session), name="Gärtnerei Grün")
        factories.document(session, client, parts=parts, content=CONTENT)
    path = tmp_path / "kontor.tar"
    assert back_up(settings, path).files == 1
    return path


def test_what_was_backed_up_is_there_again_elsewhere(archive: Path, elsewhere: Settings) -> None:
    restore(elsewhere, archive)
    parts = assemble(elsewhere)
    try:
        with parts.db.read() as session:
            client = session.exec(select(Client)).one()
            document = session.exec(select(Document)).one()
        assert client.name == "Gärtnerei Grün"
        with parts.files.open(client.firm_id, document.sha256) as content:
            assert content.read() == CONTENT
    finally:
        parts.db.dispose()


def test_nothing_is_restored_over_an_installation_in_use(archive: Path, settings: Settings) -> None:
    with pytest.raises(BackupFailed, match="not empty"):
        restore(settings, archive)


def test_another_secret_key_is_told_before_anything_changes(archive: Path, elsewhere: Settings) -> None:
    with pytest.raises(BackupFailed, match="secret key"):
        restore(replace(elsewhere, secret_key=new_key()), archive)
    restore(elsewhere, archive)


def test_the_key_travels_only_when_asked_for(archive: Path, parts: Parts, settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(BackupFailed, match="no secret key"):
        take_key(archive, tmp_path / "taken.key")
    assert settings.secret_key.encode() not in archive.read_bytes()
    back_up(settings, tmp_path / "with.tar", with_key=True)
    take_key(tmp_path / "with.tar", tmp_path / "taken.key")
    assert (tmp_path / "taken.key").read_text().strip() == settings.secret_key
    assert (tmp_path / "taken.key").stat().st_mode & 0o077 == 0


def _without_change(entry: tarfile.TarInfo, content: bytes) -> bytes:
    return content


def _other_bytes(entry: tarfile.TarInfo, content: bytes) -> bytes:
    return content.replace(b"ten", b"two") if entry.name.startswith("files/") else content


def _rewritten(archive: Path, change: Callable[[tarfile.TarInfo, bytes], bytes]) -> Path:
    path = archive.with_name("rewritten.tar")
    with tarfile.open(archive) as source, tarfile.open(path, "w") as target:
        for entry in source.getmembers():
            opened = source.extractfile(entry)
            assert opened is not None
            target.addfile(entry, io.BytesIO(change(entry, opened.read())))
    return path


def test_a_damaged_archive_changes_nothing(archive: Path, elsewhere: Settings) -> None:
    for damaged in (_rewritten(archive, _other_bytes), _cut(archive)):
        with pytest.raises(BackupFailed):
            restore(elsewhere, damaged)
    restore(elsewhere, _rewritten(archive, _without_change))


def _cut(archive: Path) -> Path:
    path = archive.with_name("cut.tar")
    path.write_bytes(archive.read_bytes()[:-15_000])
    return path


def test_a_missing_file_stops_the_backup_and_leaves_no_archive(archive: Path, settings: Settings) -> None:
    for path in (settings.data / "files").rglob("*"):
        if path.is_file():
            path.unlink()
    with pytest.raises(BackupFailed, match="cannot be read"):
        back_up(settings, archive.with_name("second.tar"))
    assert {path.name for path in archive.parent.glob("*.tar*")} == {archive.name}
