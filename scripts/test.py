"""All tests on SQLite, then those that touch a database on PostgreSQL, and one line at the end that says how it went.

With --soak: the long tests instead, from a seed that is printed and can be given again.
"""

from __future__ import annotations

import argparse
import os
import secrets
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ENGINES = ("sqlite", "postgresql")
# The first engine's run says all there is: nothing here opens a database (imports forbid it to what is tested), and the
# demo's firm is made by services that have their own tests on both.
ONCE = (
    "tests/integrations",
    "tests/portal/reading",
    "tests/portal/banking/statements",
    "tests/portal/demo",
    "tests/portal/test_render.py",
)
INTERRUPTED = 2  # pytest's exit code


@dataclass(frozen=True)
class Result:
    """How one engine fared."""

    engine: str
    passed: int
    failed: int
    skipped: int
    seconds: float
    code: int

    def __str__(self) -> str:
        skipped = f", {self.skipped} skipped" if self.skipped else ""
        return f"{self.engine} {self.passed} passed, {self.failed} failed{skipped} in {self.seconds:.0f} s"


def count(report: Path) -> tuple[int, int, int]:
    """Passed, failed and skipped of a JUnit report; nothing passed when there is none."""
    if not report.exists():
        return 0, 1, 0
    suites = ET.parse(report).getroot().iter("testsuite")
    total = failed = skipped = 0
    for suite in suites:
        total += int(suite.get("tests", 0))
        failed += int(suite.get("failures", 0)) + int(suite.get("errors", 0))
        skipped += int(suite.get("skipped", 0))
    return total - failed - skipped, failed, skipped


def run(engine: str, words: list[str], environ: dict[str, str]) -> Result:
    """One run of pytest on one engine."""
    print(f"\n== {engine} ==", flush=True)
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        command = [sys.executable, "-m", "pytest", "-rs", f"--junitxml={report}", *words]
        code = subprocess.run(
            command, cwd=ROOT, env={**environ, "KONTOR_TEST_DATABASE": engine}, check=False
        ).returncode
        return Result(engine, *count(report), time.monotonic() - began, code)


def main() -> int:
    """Non-zero when any test failed on any engine."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--soak", action="store_true", help="the long tests with kills and faults")
    parser.add_argument("--seed", type=int, help="repeat a soak")
    options, more = parser.parse_known_args()
    environ = {name: value for name, value in os.environ.items() if not name.startswith("KONTOR_") or "SOAK" in name}
    words = ["-n", "2", "-m", "not soak", *more]
    if options.soak:
        seed = options.seed if options.seed is not None else secrets.randbelow(2**31)
        environ["KONTOR_SOAK_SEED"] = str(seed)
        print(f"Seed {seed}: `make soak SEED={seed}` repeats this run.")
        words = ["-m", "soak", "-s", "--timeout=3600", *more]
    results: list[Result] = []
    for engine in ENGINES:
        once = [] if engine == ENGINES[0] else [f"--ignore={path}" for path in ONCE]
        results.append(run(engine, [*words, *once], environ))
        if results[-1].code == INTERRUPTED:
            break
    print("\n" + "; ".join(str(result) for result in results))
    return max(result.code for result in results)


if __name__ == "__main__":
    sys.exit(main())
