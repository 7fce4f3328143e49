"""What nobody wants to find in a finished product: notes to oneself, debugging, commented-out merges."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# Written in pieces, so that this file does not find itself.
WORDS = re.compile(
    r"\b(" + "|".join(["TO" + "DO", "FIX" + "ME", "HA" + "CK", "break" + "point"]) + r")\b"
    r"|^[<>=]{7}( |$)|\bpdb\.set" + "_trace|console" + r"\.log\("
)
KINDS = {".py", ".html", ".css", ".js", ".md", ".toml", ".cfg", ".txt", ".mako", ""}
VENDORED = ("vendor",)


def tracked() -> list[Path]:
    """The text files of the project that we wrote."""
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    paths = [ROOT / name for name in listing.split("\0") if name]
    return [path for path in paths if path.suffix in KINDS and path.is_file() and not set(path.parts) & set(VENDORED)]


def main() -> int:
    """List them; non-zero when there is any."""
    wrong = 0
    for path in tracked():
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1):
            if WORDS.search(line):
                wrong += 1
                print(f"{path.relative_to(ROOT)}:{number}: {line.strip()[:100]}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
