from __future__ import annotations

import json
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]


def test_only_packages_that_are_whole_count_as_installed(setup: ModuleType) -> None:
    listing = "ii  libpango-1.0-0\nrc  postgresql\nun  chromium\niU  tzdata\n"
    assert setup.parse_dpkg(listing) == {"libpango-1.0-0"}


def test_a_program_on_the_path_makes_its_package_unneeded(setup: ModuleType) -> None:
    there, absent = setup.Package("python-x", "", "sh"), setup.Package("absent", "", "no-such-program-here")
    library = setup.Package("libfoo", "")
    assert setup.missing([there, absent, library], ["libfoo"]) == [absent]


@pytest.mark.parametrize(
    ("user", "sudo", "asks", "prefix"),
    [
        (0, None, False, []),
        (1000, "/usr/bin/sudo", True, ["/usr/bin/sudo"]),
        (1000, "/usr/bin/sudo", False, ["/usr/bin/sudo", "-n"]),
        (1000, None, True, None),
    ],
)
def test_apt_runs_as_root_or_by_sudo_or_not_at_all(
    setup: ModuleType, user: int, sudo: str | None, asks: bool, prefix: list[str] | None
) -> None:
    assert setup.apt_prefix(user, sudo, asks=asks) == prefix


def test_pythons_that_are_too_old_or_too_new_do_not_suit(setup: ModuleType) -> None:
    fits = {version: setup.suits(version) for version in [(3, 9), (3, 11), (3, 12), (3, 13)]}
    assert fits == {(3, 9): False, (3, 11): True, (3, 12): True, (3, 13): False}
    assert not setup.suits(setup.version_of("/no/such/python"))
    assert setup.version_of(sys.executable) == sys.version_info[:2]


def test_an_environment_is_complete_until_lock_place_or_python_change(setup: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "requirements.lock").write_text("one==1")
    wanted = setup.wanted_state("run", tmp_path, (3, 11))
    assert setup.is_complete({**wanted, "requirements-dev.lock": "more"}, wanted)
    assert not setup.is_complete({}, wanted)
    (tmp_path / "requirements.lock").write_text("one==2")
    assert not setup.is_complete(wanted, setup.wanted_state("run", tmp_path, (3, 11)))
    assert not setup.is_complete(wanted, setup.wanted_state("run", tmp_path, (3, 12)))


def test_a_note_that_is_missing_or_broken_is_no_note(setup: ModuleType, tmp_path: Path) -> None:
    note = tmp_path / "kontor.json"
    assert setup.read_state(note) == {}
    for broken in ("{", "[1]"):
        note.write_text(broken)
        assert setup.read_state(note) == {}
    note.write_text(json.dumps({"root": "/srv"}))
    assert setup.read_state(note) == {"root": "/srv"}
