"""What is different with a company's OneDrive: one kind of hash, and content that SharePoint adds to."""

from __future__ import annotations

from dataclasses import replace

import pytest

from integrations.conformance.parts import MemoryFacts, revised, worker
from integrations.contract import Step
from integrations.errors import Transient
from integrations.onedrive.connector import OneDrive
from tests.integrations.onedrive.bench import OneDriveBench
from tests.integrations.onedrive.documents import MONTH, NAME, delivered, invoice, large


@pytest.fixture
def altering(sandbox: OneDriveBench, company: OneDrive) -> OneDrive:
    sandbox.set(alters_files=True)
    return company


def test_what_sharepoint_adds_is_kept_and_compared_with_from_then_on(
    sandbox: OneDriveBench, altering: OneDrive
) -> None:
    document = invoice()
    first = delivered(altering, document)
    assert sandbox.content(first.remote_id, "jonas") != b"%PDF-1.7 invoice"
    assert altering.inspect([first]) == []
    assert altering.plan(document, first).step is Step.NOTHING
    assert delivered(altering, document, first) == first
    assert len(sandbox.files("jonas")) == 1


@pytest.mark.parametrize("content", [b"%PDF-1.7 invoice", large()])
def test_a_lost_answer_leaves_one_file_though_no_hash_tells_that_it_is_there(
    sandbox: OneDriveBench, altering: OneDrive, content: bytes
) -> None:
    delivered(altering, invoice(number="R-0"))
    document = invoice(content)
    sandbox.control("faults", provider="onedrive", script=["commit-then-drop"], match="PUT /content")
    sandbox.control("faults", provider="onedrive", script=["ok:2", "commit-then-drop"], match="PUT /up/.*")
    first = None
    for _attempt in range(2):
        try:
            first = altering.deliver(document, "r-1", None)
        except Transient:
            continue
    assert first is not None
    assert sorted(sandbox.files("jonas")) == sorted([f"{MONTH}/{NAME}", f"{MONTH}/2026-03-01 Mühle AG R-0.pdf"])
    assert altering.deliver(revised(document, number="R-2"), "r-2", first).remote_id == first.remote_id


def test_another_documents_altered_file_is_never_taken_for_ones_own(sandbox: OneDriveBench, altering: OneDrive) -> None:
    lost = invoice(b"%PDF one")
    sandbox.control("faults", provider="onedrive", script=["reset"], match="PUT /content")
    with pytest.raises(Transient):
        altering.deliver(lost, "r-1", None)  # nothing arrived, but the name is claimed
    other = altering.deliver(invoice(b"%PDF two"), "r-2", None)
    assert other.extras["name"].endswith("(2).pdf")
    mine = altering.deliver(lost, "r-1", None)
    assert mine.extras["name"].endswith(NAME)
    assert mine.remote_id != other.remote_id


def test_a_repeat_without_the_receipt_finds_the_altered_file(sandbox: OneDriveBench, altering: OneDrive) -> None:
    """As after a crash between Microsoft's answer and the record of it."""
    document = invoice()
    first = altering.deliver(document, "r-1", None)
    again = worker(altering).deliver(document, "r-1", None)
    assert again.remote_id == first.remote_id
    assert len(sandbox.files("jonas")) == 1


def test_a_file_that_was_there_before_the_claim_is_not_ones_own(sandbox: OneDriveBench, altering: OneDrive) -> None:
    delivered(altering, invoice(b"%PDF one"))
    sandbox.advance(3600)
    lost = invoice(b"%PDF two")
    sandbox.control("faults", provider="onedrive", script=["reset"], match="PUT /content")
    with pytest.raises(Transient):
        altering.deliver(lost, "r-2", None)
    assert altering.deliver(lost, "r-2", None).extras["name"].endswith("(2).pdf")


def test_a_personal_drive_that_holds_something_else_is_not_believed(
    sandbox: OneDriveBench, connector: OneDrive
) -> None:
    """And nothing of the failed attempt is left under the name."""
    document = replace(invoice(), sha256="0" * 64)  # as if other bytes had arrived
    with pytest.raises(Transient, match="differs"):
        connector.deliver(document, "r-1", None)
    assert sandbox.files("anna") == []


def test_nothing_is_claimed_in_a_personal_drive(connector: OneDrive) -> None:
    memory = MemoryFacts()
    delivered(worker(connector, memory), invoice())
    assert not [key for key in memory.facts if key.startswith("naming:")]


def test_claims_are_given_back(altering: OneDrive) -> None:
    memory = MemoryFacts()
    for turn in range(2):
        delivered(worker(altering, memory), invoice(f"%PDF {turn}".encode()))
    assert not [key for key in memory.facts if key.startswith("naming:")]
