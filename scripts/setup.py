"""Install what is missing, then stop: system packages by apt, a virtual environment, the locked dependencies.

    python3 scripts/setup.py run    what Kontor itself needs
    python3 scripts/setup.py test   and what its tests need

Only the standard library, and no syntax newer than Python 3.9: this runs on whatever python3 there is.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
OLDEST, TOO_NEW = (3, 11), (3, 13)
LOCKS = {"run": "requirements.lock", "test": "requirements-dev.lock"}


class Stopped(Exception):
    """The set-up cannot go on; the message says why and what to do."""


@dataclass(frozen=True)
class Package:
    """A Debian package, and any program whose presence shows that it is not needed."""

    name: str
    why: str
    program: str = ""

    def on_path(self) -> bool:
        """Whether the program is there already, whoever installed it."""
        return bool(self.program) and shutil.which(self.program) is not None


RUN = (
    Package("libpango-1.0-0", "PDF files"),
    Package("libpangoft2-1.0-0", "PDF files"),
    Package("libharfbuzz-subset0", "PDF files"),
    Package("fonts-dejavu-core", "PDF files"),
    Package("fonts-liberation", "PDF files"),
    Package("tzdata", "time zones"),
)
TEST = (
    *RUN,
    Package("postgresql", "the tests on PostgreSQL", "initdb"),
    Package("chromium", "the browser tests", "chromium"),
    Package("libatomic1", "the browser tests"),
    Package("curl", "the API's own examples", "curl"),
    Package("rclone", "tests of WebDAV and S3 against a foreign client and server", "rclone"),
)
PACKAGES = {"run": RUN, "test": TEST}


def say(text: str) -> None:
    """One plain sentence on what happens."""
    print(text, flush=True)


def missing(packages: Iterable[Package], installed: Iterable[str]) -> list[Package]:
    """The packages that are neither installed nor replaced by a program on the PATH."""
    known = set(installed)
    return [package for package in packages if package.name not in known and not package.on_path()]


def parse_dpkg(listing: str) -> set[str]:
    """Names of installed packages from lines of ``status package``; ``ii`` is installed, see dpkg-query(1)."""
    rows = (line.split() for line in listing.splitlines())
    return {row[1].split(":")[0] for row in rows if len(row) > 1 and row[0] == "ii"}


def installed_packages(names: Iterable[str]) -> set[str] | None:
    """Which of these Debian packages are installed; None when this is no Debian."""
    if shutil.which("dpkg-query") is None:
        return None
    command = ["dpkg-query", "-W", "-f=${db:Status-Abbrev} ${Package}\n", *names]
    return parse_dpkg(subprocess.run(command, capture_output=True, text=True, check=False).stdout)


def apt_prefix(user_id: int, sudo: str | None, *, asks: bool) -> list[str] | None:
    """What to put before apt-get: nothing for root, sudo when it works, None when there is no way."""
    if user_id == 0:
        return []
    if sudo is None:
        return None
    return [sudo] if asks else [sudo, "-n"]


def install_packages(wanted: Sequence[Package]) -> None:
    """Have apt install these; Stopped with the command to run when we may not."""
    names = [package.name for package in wanted]
    command = ["apt-get", "install", "-y", "--no-install-recommends", *names]
    by_hand = f"apt-get update && {' '.join(command)}"
    prefix = apt_prefix(os.geteuid(), shutil.which("sudo"), asks=sys.stdin.isatty())
    reasons = ", ".join(f"{package.name} ({package.why})" for package in wanted)
    if prefix is None or shutil.which("apt-get") is None:
        raise Stopped(f"These system packages are missing: {reasons}.\nAs root, run:\n  {by_hand}\nthen start again.")
    say(f"Installing system packages: {reasons}.")
    quiet = [*prefix, "env", "DEBIAN_FRONTEND=noninteractive"]
    for step in (["apt-get", "update", "-qq"], command):
        if subprocess.run([*quiet, *step], stdout=subprocess.DEVNULL, check=False).returncode:
            raise Stopped(f"“{' '.join(step)}” failed (see above). As root, run:\n  {by_hand}\nthen start again.")


def version_of(python: str) -> tuple[int, int] | None:
    """Major and minor version of an interpreter; None when it does not run."""
    command = [python, "-c", "import sys; print(*sys.version_info[:2])"]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, check=True, cwd="/").stdout.split()
    except (OSError, subprocess.CalledProcessError):
        return None
    return int(answer[0]), int(answer[1])


def suits(version: tuple[int, int] | None) -> bool:
    """Whether Kontor runs on this version of Python."""
    return version is not None and OLDEST <= version < TOO_NEW


def find_python() -> str:
    """The first interpreter that suits; Stopped when there is none."""
    for name in ("python3.11", "python3.12", "python3"):
        found = shutil.which(name)
        if found and suits(version_of(found)):
            return found
    raise Stopped(
        "Kontor needs Python 3.11 or 3.12, and neither is on the PATH. On Debian 12: apt-get install python3-venv"
    )


def can_make_venv(python: str) -> bool:
    """Debian keeps the standard library's ensurepip in a package of its own."""
    return subprocess.run([python, "-c", "import ensurepip, venv"], capture_output=True, check=False).returncode == 0


def wanted_state(kind: str, root: Path, version: tuple[int, int]) -> dict[str, str]:
    """What the environment is when it is complete: kept beside it, so that a second start installs nothing."""
    digest = hashlib.sha256((root / LOCKS[kind]).read_bytes()).hexdigest()
    return {"root": str(root), "python": f"{version[0]}.{version[1]}", LOCKS[kind]: digest}


def is_complete(state: Mapping[str, str], wanted: Mapping[str, str]) -> bool:
    """Whether everything wanted is there already; an environment for tests has all that running needs."""
    return all(state.get(name) == value for name, value in wanted.items())


def read_state(path: Path) -> dict[str, str]:
    """What was noted after the last complete installation; nothing when there was none."""
    try:
        noted = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return {str(name): str(value) for name, value in noted.items()} if isinstance(noted, dict) else {}


def prepare_environment(kind: str, system: str) -> None:
    """Make the virtual environment or bring it to the lock; does nothing when it is there already."""
    python, note = VENV / "bin" / "python", VENV / "kontor.json"
    version = version_of(str(python)) if python.exists() else None
    state = read_state(note)
    if suits(version) and version and is_complete(state, wanted_state(kind, ROOT, version)):
        return
    note.unlink(missing_ok=True)
    if not suits(version) or not _has_pip(python):
        say(f"Making a virtual environment in {VENV} with {system}.")
        if subprocess.run([system, "-m", "venv", "--clear", str(VENV)], check=False).returncode:
            raise Stopped(f"{system} could not make a virtual environment in {VENV} (see above).")
        version = version_of(str(python))
    if not suits(version) or version is None:
        raise Stopped(f"The Python in {VENV} does not work. Remove that folder and start again.")
    install_lock(python, kind)
    link_project(python, version)
    also = {LOCKS["run"]: wanted_state("run", ROOT, version)[LOCKS["run"]]}  # the larger lock holds the smaller
    note.write_text(json.dumps({**also, **wanted_state(kind, ROOT, version)}, indent=1))


def _has_pip(python: Path) -> bool:
    return subprocess.run([python, "-m", "pip", "--version"], capture_output=True, check=False).returncode == 0


def install_lock(python: Path, kind: str) -> None:
    """Install exactly what the lock names, each file checked against its hash; pip and its own settings do the rest."""
    lock = LOCKS[kind]
    say(f"Installing the dependencies of {lock} (a minute or two, once).")
    command = [
        str(python),
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--no-deps",
        "--require-hashes",
    ]
    if os.geteuid() == 0:
        command.append("--root-user-action=ignore")
    if subprocess.run([*command, "-r", str(ROOT / lock)], check=False).returncode:
        raise Stopped(f"pip could not install {lock} (see above). Start again: it goes on where it stopped.")


def link_project(python: Path, version: tuple[int, int]) -> None:
    """Make the source importable and give the environment its ``kontor`` command; needs no build tool."""
    packages = VENV / "lib" / f"python{version[0]}.{version[1]}" / "site-packages"
    (packages / "kontor.pth").write_text(f"{ROOT}\n")
    command = python.parent / "kontor"
    command.write_text(f"#!{python}\nimport sys\n\nfrom portal.cli import main\n\nsys.exit(main())\n")
    command.chmod(0o755)


def set_up(kind: str) -> None:
    """Everything for ``kind``, in order."""
    packages, system = list(PACKAGES[kind]), find_python()
    found = installed_packages(package.name for package in packages)
    absent = missing(packages, found or ())
    if not VENV.exists() and not can_make_venv(system):
        absent.append(Package(f"{Path(system).name}-venv", "the virtual environment"))
    if found is None and absent:
        say("This is no Debian. Needed of the system: " + ", ".join(package.name for package in absent) + ".")
    elif absent:
        install_packages(absent)
    prepare_environment(kind, system)


def main() -> int:
    """Exit code 0 when everything is there."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", choices=sorted(PACKAGES))
    try:
        set_up(parser.parse_args().kind)
    except Stopped as reason:
        print(reason, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Stopped. Start again: it goes on where it stopped.", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
