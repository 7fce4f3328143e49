"""Everything that can be said of the source without running it: one line each, details of what is wrong below it."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
SOURCE = ("portal", "integrations", "worker.py", "scripts", "benchmarks")
CHECKS: dict[str, list[str]] = {
    "style": ["ruff", "check", "."],
    "format": ["ruff", "format", "--check", "."],
    "types": ["mypy"],
    "imports": ["lint-imports"],
    "duplicates": ["symilar", "--duplicates=8", "--ignore-imports", "--ignore-signatures", "--ignore-docstrings"],
    "sizes": ["python", "scripts/sizes.py"],
    "leftovers": ["python", "scripts/leftovers.py"],
    "dependencies": ["python", "-m", "pip", "check"],
}


def sources() -> list[str]:
    """Our Python files that duplicates are looked for in; migrations repeat themselves by nature."""
    found = [ROOT / name for name in SOURCE if name.endswith(".py")]
    for name in SOURCE:
        found += sorted((ROOT / name).rglob("*.py"))
    return [str(path.relative_to(ROOT)) for path in found if "migrations" not in path.parts]


def run(name: str, command: list[str]) -> bool:
    """One check; True when nothing is wrong."""
    words = [str(BIN / command[0]), *command[1:], *(sources() if name == "duplicates" else [])]
    began = time.monotonic()
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    # symilar always exits with 0 and names each repetition
    wrong = done.returncode != 0 or (name == "duplicates" and "similar lines in" in done.stdout)
    print(f"{'WRONG' if wrong else 'ok':5}  {name:12} {time.monotonic() - began:5.1f} s", flush=True)
    if wrong:
        print(done.stdout + done.stderr, flush=True)
    return not wrong


def main() -> int:
    """Run them all, so that one run tells everything; non-zero when anything is wrong."""
    results = [run(name, command) for name, command in CHECKS.items()]
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
