"""The run of all tests: what it counts, and that a failure which does not repeat is named and fails nothing."""

from __future__ import annotations

import os
from pathlib import Path
from types import ModuleType
from typing import Any

TESTS = """
from pathlib import Path
import pytest

def test_passes(): pass

@pytest.mark.skip
def test_is_skipped(): pass

def test_wavers():
    before = Path(__file__).with_name("before")
    again = before.exists()
    before.touch()
    assert again
"""


def result(suite: ModuleType, folder: Path, failing: int) -> Any:
    """Of a suite with a test that passes, one that is skipped, one that passes at the second time, and failing ones."""
    broken = "".join(f"def test_fails_{number}(): assert False\n" for number in range(failing))
    (folder / "test_some.py").write_text(TESTS + broken)
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "KONTOR"))}
    environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"  # starting them takes longer than the tests
    return suite.run(
        "sqlite", ["-p", "xdist.plugin", "-n", "0", f"--rootdir={folder}", "-c", os.devnull, str(folder)], environ
    )


def test_what_passes_alone_is_named_and_fails_nothing(suite: ModuleType, tmp_path: Path) -> None:
    found = result(suite, tmp_path, failing=0)
    assert (found.passed, found.failed, found.skipped, found.code) == (2, (), 1, 0)
    assert found.wavering == ("test_some.test_wavers",)
    assert "2 passed (1 only when tried again), 0 failed" in str(found)


def test_what_fails_again_fails(suite: ModuleType, tmp_path: Path) -> None:
    found = result(suite, tmp_path, failing=1)
    assert (found.passed, found.failed, found.code) == (2, ("test_some.test_fails_0",), 1)
    assert found.wavering == ("test_some.test_wavers",)


def test_many_failures_are_no_accident(suite: ModuleType, tmp_path: Path) -> None:
    found = result(suite, tmp_path, failing=4)
    assert (len(found.failed), found.wavering, found.code) == (5, (), 1)
