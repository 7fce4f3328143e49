"""The tree over the simulated Drive: the one storage here whose folders have ids, markers and equal names."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from integrations.conformance.parts import MemoryFacts
from integrations.contract import Memory
from integrations.errors import TargetGone, Transient
from integrations.folders import Folder, ParentGone, Tree
from integrations.google_drive.connector import GoogleDrive
from integrations.google_drive.tree import DriveFolders
from integrations.sandbox.app import Sandbox
from integrations.sandbox.server import Server
from tests.integrations.google_drive.bench import DriveBench

PATH = ("Meyer", "Girokonto", "2026-03")


@pytest.fixture
def bench() -> Iterator[DriveBench]:
    app = Sandbox(None, {"google_drive": "integrations.sandbox.google_drive:GoogleDrive"})
    with Server(app) as server, httpx.Client(timeout=20) as http:
        yield DriveBench(server.url, "google_drive", http)
    app.close()


@pytest.fixture
def connector(bench: DriveBench) -> GoogleDrive:
    return bench.signed_in("anna")


def tree(connector: GoogleDrive, memory: Memory | None = None) -> Tree:
    return Tree(connector.tree.store, memory or MemoryFacts(), "Kontor")


def paths(bench: DriveBench) -> list[str]:
    return sorted(one["path"] for one in bench.all("anna") if not one["trashed"])


WHOLE = ["Kontor", "Kontor/Meyer", "Kontor/Meyer/Girokonto", "Kontor/Meyer/Girokonto/2026-03"]


def test_a_path_is_made_once_and_then_known_without_asking(bench: DriveBench, connector: GoogleDrive) -> None:
    mine = tree(connector)
    made = mine.ensure(PATH)
    before = bench.calls()
    assert mine.ensure(PATH) == made
    assert bench.calls() == before
    assert paths(bench) == WHOLE


def test_a_neighbour_needs_only_its_own_folder(bench: DriveBench, connector: GoogleDrive) -> None:
    mine = tree(connector)
    mine.ensure(PATH)
    before = bench.calls()
    mine.ensure((*PATH[:2], "2026-04"))
    assert bench.calls() - before == 3  # look, make, look who was first


class Meeting(DriveFolders):
    """Workers wait for each other after looking, so that each finds nothing."""

    barrier: threading.Barrier

    def find(self, marker: str, parent: str | None, name: str) -> Folder | None:
        found = super().find(marker, parent, name)
        if found is None:
            try:
                self.barrier.wait(1)
            except threading.BrokenBarrierError:
                self.barrier.reset()
        return found


@pytest.mark.parametrize("shared", [True, False], ids=["one instance", "two instances on one login"])
def test_workers_that_all_find_nothing_make_one_tree(bench: DriveBench, connector: GoogleDrive, shared: bool) -> None:
    Meeting.barrier = threading.Barrier(3)
    memory = MemoryFacts()
    trees = [
        Tree(Meeting(connector.drive, connector.ids), memory if shared else MemoryFacts(), "Kontor") for _ in range(3)
    ]
    with ThreadPoolExecutor(3) as workers:
        made = set(workers.map(lambda one: one.ensure(PATH), trees))
    assert len(made) == 1
    assert paths(bench) == WHOLE
    if shared:
        assert len(bench.all("anna")) == len(WHOLE)  # nothing was made in vain


def test_workers_that_find_the_same_folder_gone_make_one_successor(bench: DriveBench, connector: GoogleDrive) -> None:
    memory = MemoryFacts()
    gone = tree(connector, memory).ensure(PATH)
    bench.do("anna", "delete", gone)
    Meeting.barrier = threading.Barrier(3)
    trees = [Tree(Meeting(connector.drive, connector.ids), memory, "Kontor") for _ in range(3)]
    with ThreadPoolExecutor(3) as workers:
        made = set(workers.map(lambda one: one.ensure(PATH, gone=gone), trees))
    assert len(made) == 1
    assert gone not in made
    assert paths(bench) == WHOLE
    assert len(bench.all("anna")) == len(WHOLE)


def test_a_folder_deleted_again_and_again_is_made_again_and_again(bench: DriveBench, connector: GoogleDrive) -> None:
    mine = tree(connector)
    here, seen = mine.ensure(PATH), set()
    for action in ("delete", "trash", "delete"):
        seen.add(here)
        bench.do("anna", action, here)
        here = mine.ensure(PATH, gone=here)
        assert here not in seen
        assert paths(bench) == WHOLE


def test_a_deleted_root_is_made_again_only_by_set_up(bench: DriveBench, connector: GoogleDrive) -> None:
    mine = tree(connector)
    gone = mine.ensure(PATH)
    bench.do("anna", "trash", mine.root().id)
    with pytest.raises(TargetGone):
        mine.ensure(PATH, gone=gone)
    assert paths(bench) == []
    mine.root()
    mine.ensure(PATH, gone=gone)
    assert paths(bench) == WHOLE


def test_a_crash_between_claiming_and_making_is_made_good(bench: DriveBench, connector: GoogleDrive) -> None:
    memory = MemoryFacts()
    for call in range(20):
        bench.script([*([f"ok:{call}"] if call else []), "reset"])
        _ignoring(lambda: tree(connector, memory).ensure(PATH))
        bench.clear()
    tree(connector, memory).ensure(PATH)
    assert paths(bench) == WHOLE


def _ignoring(call: Callable[[], object]) -> None:
    try:
        call()
    except Transient:
        return


def test_a_lost_memory_finds_moved_and_renamed_folders_again(bench: DriveBench, connector: GoogleDrive) -> None:
    made = tree(connector).ensure(PATH)
    bench.do("anna", "rename", made, name="März")
    bench.do("anna", "move", made, parent=bench.living("anna")["Kontor"])
    assert tree(connector).ensure(PATH) == made


def test_trees_of_different_roots_share_nothing(bench: DriveBench, connector: GoogleDrive) -> None:
    other = Tree(connector.tree.store, MemoryFacts(), "Archiv")
    assert other.ensure(PATH) != tree(connector).ensure(PATH)
    assert len(paths(bench)) == 8


class Lost(DriveFolders):
    """Folders of Drive that do not tell their deletion until somebody wants to make one in them."""

    def make(self, reserved: str, marker: str, parent: str | None, name: str) -> Folder:
        if parent and self.living(parent) is None:
            raise ParentGone(name)
        return super().make(reserved, marker, parent, name)


def test_a_parent_that_turns_out_to_be_deleted_is_made_anew(bench: DriveBench, connector: GoogleDrive) -> None:
    mine = Tree(Lost(connector.drive, connector.ids), MemoryFacts(), "Kontor")
    mine.ensure(PATH)
    bench.do("anna", "delete", bench.living("anna")["Kontor/Meyer"])
    mine.ensure((*PATH[:2], "2026-04"))
    assert paths(bench) == [*WHOLE[:3], "Kontor/Meyer/Girokonto/2026-04"]


def test_a_root_that_turns_out_to_be_deleted_is_told(bench: DriveBench, connector: GoogleDrive) -> None:
    mine = Tree(Lost(connector.drive, connector.ids), MemoryFacts(), "Kontor")
    mine.ensure(())
    bench.do("anna", "delete", bench.living("anna")["Kontor"])
    with pytest.raises(TargetGone):
        mine.ensure(PATH)
    assert paths(bench) == []
