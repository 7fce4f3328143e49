"""All tests on SQLite, then those that touch a database on PostgreSQL, and one line at the end that says how it went.

A few failures are tried once more, alone: what passes then depends on timing. It is named at the end, to be mended, and
does not fail the run.

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
from dataclasses import dataclass, replace
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
    "tests/scripts",
)
FAILED, INTERRUPTED = 1, 2  # pytest's exit codes
FEW = 4  # failures that may be accidents of timing


@dataclass(frozen=True)
class Result:
    """How one engine fared. ``failed`` and ``wavering`` (failed, then passed alone) are names of tests."""

    engine: str
    passed: int
    failed: tuple[str, ...]
    skipped: int
    seconds: float
    code: int
    wavering: tuple[str, ...] = ()

    def __str__(self) -> str:
        skipped = f", {self.skipped} skipped" if self.skipped else ""
        again = f" ({len(self.wavering)} only when tried again)" if self.wavering else ""
        return f"{self.engine} {self.passed} passed{again}, {len(self.failed)} failed{skipped} in {self.seconds:.0f} s"

    def then(self, again: Result) -> Result:
        """With what became of its failures when they were tried again."""
        wavering = tuple(sorted(set(self.failed) - set(again.failed)))
        return replace(
            self, passed=self.passed + len(wavering), failed=again.failed, wavering=wavering, code=again.code,
            seconds=self.seconds + again.seconds,
        )  # fmt: skip


def read(report: Path) -> tuple[int, tuple[str, ...], int]:
    """How many passed, which failed and how many were skipped, by a JUnit report; without one, all failed."""
    if not report.exists():
        return 0, ("pytest itself",), 0
    cases = list(ET.parse(report).getroot().iter("testcase"))
    failed = {f"{case.get('classname')}.{case.get('name')}" for case in cases if _has(case, "failure", "error")}
    skipped = sum(_has(case, "skipped") for case in cases)
    return len(cases) - len(failed) - skipped, tuple(sorted(failed)), skipped


def _has(case: ET.Element, *outcomes: str) -> bool:
    return any(case.find(one) is not None for one in outcomes)


def run(engine: str, words: list[str], environ: dict[str, str]) -> Result:
    """All tests on one engine, and a few failures once more."""
    print(f"\n== {engine} ==", flush=True)
    first = _once(engine, words, environ)
    if first.code != FAILED or not 0 < len(first.failed) <= FEW:
        return first
    print(f"\n== {engine}: once more, alone: {', '.join(first.failed)} ==", flush=True)
    alone = ["-n", "0", "--last-failed", "--last-failed-no-failures=none"]
    return first.then(_once(engine, [*words, *alone], environ))


def _once(engine: str, words: list[str], environ: dict[str, str]) -> Result:
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        command = [sys.executable, "-m", "pytest", "-rs", f"--junitxml={report}", *words]
        code = subprocess.run(
            command, cwd=ROOT, env={**environ, "KONTOR_TEST_DATABASE": engine}, check=False
        ).returncode
        return Result(engine, *read(report), time.monotonic() - began, code)


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
    for result in results:
        for name in result.wavering:
            print(f"WAVERING on {result.engine}, please mend: {name}")
    return max(result.code for result in results)


if __name__ == "__main__":
    sys.exit(main())
