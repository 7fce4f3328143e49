"""All figures, one line each: `make bench`. A missed goal is said, and is no error: machines differ."""

from __future__ import annotations

import os
import platform

from benchmarks import delivery, einvoice, exports, pages, reading, search, start, statements


def main() -> None:
    """Measure and print, one script after the other."""
    load = os.getloadavg()[0]
    print(f"{platform.machine()}, {os.cpu_count()} cores, load {load:.1f}, Python {platform.python_version()}")
    for measure in (
        start.measure,
        delivery.measure,
        pages.measure,
        exports.measure,
        einvoice.measure,
        statements.measure,
        reading.measure,
        search.measure,
    ):
        for figure in measure():
            print(figure, flush=True)


if __name__ == "__main__":
    main()
