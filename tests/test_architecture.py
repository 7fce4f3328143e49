"""The picture in docs/architecture.md, as far as a program can see whether it is true."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import grimp
import pytest

from integrations import KINDS

ROOT = Path(__file__).parents[1]
BIN = Path(sys.executable).parent


def _source(*folders: str) -> list[Path]:
    return [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]


def _naming(pattern: str, paths: list[Path]) -> set[str]:
    return {str(path.relative_to(ROOT)) for path in paths if re.search(pattern, path.read_text(), re.MULTILINE)}


def test_imports_go_one_way() -> None:
    done = subprocess.run([BIN / "lint-imports", "--no-cache"], check=False, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_no_connector_knows_another_or_the_sandbox_and_the_sandbox_knows_none() -> None:
    graph = grimp.build_graph("integrations", cache_dir=None)
    # tests of other packages may have registered kinds of their own in this process
    ours = [path for path in KINDS.values() if path.startswith("integrations.")]
    folders = {path.partition(":")[0].rpartition(".")[0] for path in ours} | {"integrations.sandbox"}
    for one in folders:
        others = folders - {one}
        for module in {one, *graph.find_descendants(one)}:
            imported = graph.find_modules_directly_imported_by(module)
            foreign = [
                name for name in imported if any(name == other or name.startswith(f"{other}.") for other in others)
            ]
            assert not foreign, f"{module} imports {foreign}"


@pytest.mark.parametrize("script", ["sizes.py", "leftovers.py"])
def test_the_source_is_in_small_pieces_and_finished(script: str) -> None:
    done = subprocess.run([sys.executable, ROOT / "scripts" / script], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_the_environment_is_read_in_one_place() -> None:
    assert _naming(r"os\.(environ|getenv)", _source("portal", "integrations")) == {"portal/config.py"}


def test_views_and_templates_hold_no_sql() -> None:
    plumbing = {"portal/web/sessions.py", "portal/api/repeats.py"}  # cookies and idempotency keys belong to no noun
    assert _naming(r"^from sqlmodel import .*\bselect\b", _source("portal/web", "portal/api")) <= plumbing


def test_the_worker_stays_a_page() -> None:
    assert (ROOT / "worker.py").read_text().count("\n") < 40


def test_every_variable_that_is_read_is_documented_and_the_other_way_round() -> None:
    read = set(re.findall(r"KONTOR_[A-Z_]+", (ROOT / "portal" / "config.py").read_text()))
    told = set(re.findall(r"KONTOR_[A-Z_]+", (ROOT / "docs" / "operating.md").read_text()))
    assert read <= told
    assert told <= read | {"KONTOR_TEST_DATABASE"}


def test_every_command_is_documented() -> None:
    from portal.cli import _parser

    commands = next(action.choices for action in _parser()._actions if action.choices)
    told = (ROOT / "docs" / "operating.md").read_text()
    assert [name for name in commands if f"`kontor {name}" not in told] == []
