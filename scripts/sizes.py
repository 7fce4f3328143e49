"""Small functions in small files: prints medians and every one that is too long; exits non-zero when there is any."""

from __future__ import annotations

import ast
import statistics
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ("portal", "integrations", "scripts", "benchmarks")
LONGEST_FUNCTION, LONGEST_FILE, MEDIAN_FUNCTION = 60, 400, 8


def files(root: Path = ROOT) -> list[Path]:
    """Our Python files; migrations are written by a tool."""
    found = [path for name in SOURCE for path in sorted((root / name).rglob("*.py")) if "migrations" not in path.parts]
    return [*found, root / "worker.py"]


def functions(source: str) -> Iterator[tuple[str, int, int]]:
    """Name, first line and length in lines of every function, decorators not counted."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name, node.lineno, (node.end_lineno or node.lineno) - node.lineno + 1


def main() -> int:
    """Measure."""
    wrong: list[str] = []
    lengths, sizes = [], []
    for path in files():
        text, name = path.read_text(), path.relative_to(ROOT)
        lines = text.count("\n")
        sizes.append(lines)
        if lines > LONGEST_FILE:
            wrong.append(f"{name}: {lines} lines, at most {LONGEST_FILE}")
        for function, line, length in functions(text):
            lengths.append(length)
            if length > LONGEST_FUNCTION:
                wrong.append(f"{name}:{line}: {function} has {length} lines, at most {LONGEST_FUNCTION}")
    median = statistics.median(lengths)
    print(f"{len(sizes)} files, median {statistics.median(sizes):.0f} lines, longest {max(sizes)};")
    print(f"{len(lengths)} functions, median {median:.0f} lines, longest {max(lengths)}")
    if median > MEDIAN_FUNCTION:
        wrong.append(f"the median function has {median:.0f} lines, at most {MEDIAN_FUNCTION}")
    print(*wrong, sep="\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
