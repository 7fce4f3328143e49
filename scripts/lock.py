"""Resolve the dependencies of pyproject.toml anew, with hashes, for every Python and system that Kontor runs on.

The smaller lock is resolved within the larger one, so that tests run on the very versions that are shipped.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
UV = "uv==0.13.9"
# Debian 12 has Python 3.11.2; some dependencies ask for more on versions before 3.11.3, so not only for ours.
COMMON = [
    "--universal",
    "--python-version",
    "3.11",
    "--generate-hashes",
    "--no-emit-index-url",
    "--no-header",
    "--quiet",
]


def compile_lock(*options: str) -> None:
    """One run of uv; its own messages say what does not fit together."""
    uv = Path(sys.executable).parent / "uv"
    subprocess.run([uv, "pip", "compile", "pyproject.toml", *COMMON, *options], cwd=ROOT, check=True)


def main() -> None:
    """Write both locks; ``--upgrade`` takes newer versions of what pyproject.toml leaves open."""
    subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", UV], check=True)
    more = [option for option in sys.argv[1:] if option == "--upgrade"]
    compile_lock("--group", "dev", "--output-file", "requirements-dev.lock", *more)
    compile_lock("--constraints", "requirements-dev.lock", "--output-file", "requirements.lock", *more)


if __name__ == "__main__":
    main()
