"""Scripts as modules: they are no package, since some of them run before there is any."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]


def script(name: str) -> ModuleType:
    """``scripts/<name>.py``."""
    spec = importlib.util.spec_from_file_location(f"kontor_{name}", ROOT / "scripts" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def setup() -> ModuleType:
    """What makes a machine ready."""
    return script("setup")


@pytest.fixture(scope="module")
def suite() -> ModuleType:
    """What runs all tests."""
    return script("test")
