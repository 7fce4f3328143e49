"""A sample firm that shows everything: made by the real services, its papers by the project itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from portal.parts import Parts


def seed(parts: Parts, address: str, tell: Callable[[str], None] | None = None) -> list[str]:
    """Fill an empty demo; who may sign in, a line each. A second call finds it there and changes nothing.

    ``address`` is where the portal answers; ``tell`` gets a line of progress now and then. What was begun and broken
    off is gone on with. Needs the sandbox that ``parts.settings`` name.
    """
    from portal.demo.firm import sow

    return sow(parts, address, tell or (lambda _line: None))
