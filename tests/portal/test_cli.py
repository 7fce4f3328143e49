from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import delete

from portal.accounts import tokens
from portal.accounts.models import Role
from portal.delivery.models import Delivery
from portal.delivery.sweep import sweep
from portal.parts import Parts
from tests import factories

Kontor = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def kontor(environ: dict[str, str]) -> Kontor:
    """The command, as a process on this test's installation."""

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "portal.cli", *words]
        return subprocess.run(command, check=False, env=environ, capture_output=True, text=True, timeout=60)

    return run


def test_the_token_that_is_printed_signs_in_with_the_scope_asked_for(kontor: Kontor, parts: Parts) -> None:
    with parts.db.transaction() as session:
        factories.member(session, factories.firm(session), role=Role.OWNER)
    done = kontor("token", "add", "--scope", "read")
    assert done.returncode == 0, done.stderr
    with parts.db.read() as session:
        viewer = tokens.verify(session, parts.vault, done.stdout.strip())
    assert viewer is not None
    assert viewer.scopes == frozenset({"read"})


def test_a_token_for_nobody_or_without_a_clear_owner_is_refused_in_one_sentence(kontor: Kontor, parts: Parts) -> None:
    with parts.db.transaction() as session:
        firm = factories.firm(session)
        factories.member(session, firm)
        factories.member(session, firm)
    for words in (["--member", "nobody@example.com"], []):
        done = kontor("token", "add", *words)
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr.count("\n") == 1


def test_verify_tells_a_deleted_delivery_row(kontor: Kontor, parts: Parts) -> None:
    with parts.db.transaction() as session:
        firm = factories.firm(session)
        client = factories.client(session, firm)
        instance = factories.instance(session, client, factories.installation(session, firm, parts=parts))
        document = factories.document(session, client)
        for row in (instance, document):
            factories.recorded(session, row)
        factories.delivery(session, document, instance)
    assert kontor("verify").returncode == 0
    with parts.db.transaction() as session:
        session.exec(delete(Delivery))
    sweep(parts.db, whole=True)  # it makes the row anew …
    done = kontor("verify")
    assert done.returncode == 1
    assert "“delivery”" in done.stdout  # … and does not cover up that one was deleted


def test_every_command_explains_itself(kontor: Kontor) -> None:
    for words in ([], ["up"], ["token", "add"], ["demo"]):
        assert kontor(*words, "--help").returncode == 0
    assert kontor("no-such-command").returncode == 2


def test_the_index_of_the_search_is_made_anew(kontor: Kontor, parts: Parts) -> None:
    with parts.db.transaction() as session:
        client = factories.client(session, factories.firm(session))
        factories.document(session, client)
        session.connection().exec_driver_sql("DELETE FROM document_search")
    done = kontor("reindex")
    assert (done.returncode, done.stdout) == (0, "1 documents can be found.\n")
    with parts.db.read() as session:
        assert session.connection().exec_driver_sql("SELECT count(*) FROM document_search").scalar() == 1


def test_an_empty_place_is_named_in_one_sentence(environ: dict[str, str], tmp_path: Path) -> None:
    empty = {**environ, "KONTOR_DATABASE_URL": f"sqlite:///{tmp_path}/empty.db"}
    command = [sys.executable, "-m", "portal.cli", "verify"]
    done = subprocess.run(command, check=False, env=empty, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1), done.stderr
    assert "no Kontor here" in done.stderr
