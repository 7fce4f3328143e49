from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from portal.config import Settings
from portal.db import Database, upgrade
from portal.doctor import Finding, examine


def _wrong(settings: Settings) -> dict[str, Finding]:
    return {finding.subject: finding for finding in examine(settings) if finding.advice}


@pytest.fixture
def installed(settings: Settings, empty_database_url: str) -> Settings:
    """An installation whose database was migrated as `kontor up` does it."""
    database = Database(empty_database_url)
    upgrade(database)
    database.dispose()
    return replace(settings, database_url=empty_database_url)


def test_a_sound_installation_has_nothing_wrong(installed: Settings) -> None:
    assert _wrong(installed) == {}


def test_each_broken_part_is_named_and_the_others_are_still_examined(installed: Settings, tmp_path: Path) -> None:
    locked = tmp_path / "a file, no folder"
    locked.write_text("")
    broken = replace(
        installed,
        database_url="postgresql+psycopg://kontor@127.0.0.1:1/none",
        redis_url=f"unix://{tmp_path / 'nobody'}",
        files_url=f"file://{locked}",
        secret_key="short",
        sandbox_url="http://127.0.0.1:1",
    )
    wrong = _wrong(broken)
    assert set(wrong) == {"database", "Redis", "files", "secret key", "sandbox"}
    assert not wrong["sandbox"].serious


def test_a_schema_that_is_behind_is_told(settings: Settings, empty_database_url: str) -> None:
    assert "migrate" in _wrong(replace(settings, database_url=empty_database_url))["database"].advice


def test_a_key_that_everybody_may_read_is_told(installed: Settings) -> None:
    key = installed.data / "secret.key"
    key.write_text("x")
    key.chmod(0o644)
    assert "chmod" in _wrong(installed)["secret.key"].advice
