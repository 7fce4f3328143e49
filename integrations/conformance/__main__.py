"""``python -m integrations.conformance KIND [--tests FILE] [--write]``: run the checks, print the result as JSON."""

from __future__ import annotations

import argparse
import contextlib
import sys
from collections.abc import Sequence
from pathlib import Path

from integrations.conformance import report


def main(argv: Sequence[str] | None = None) -> int:
    """0 when all checks passed, else 1. pytest's own output goes to stderr."""
    options = _options(argv)
    tests = options.tests or Path("tests", "integrations", options.kind, "test_conformance.py")
    with contextlib.redirect_stdout(sys.stderr):
        result = report.run(options.kind, tests)
    if options.write:
        report.write(result)
    print(result.model_dump_json(indent=1))  # noqa: T201 - what the command is for
    return 0 if result.conforms else 1


def _options(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m integrations.conformance", description=__doc__)
    parser.add_argument("kind", help="as in integrations.KINDS or an installed entry point")
    parser.add_argument("--tests", type=Path, help="the test file that inherits the checks")
    parser.add_argument("--write", action="store_true", help="keep the result beside the connector")
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
