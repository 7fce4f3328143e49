"""Which names OneDrive takes (support.microsoft.com, "Restrictions and limitations in OneDrive and SharePoint")."""

from __future__ import annotations

import re

from integrations.sandbox.onedrive.problems import invalid

LONGEST_PATH = 400  # characters, decoded
LONGEST_NAME = 255
_EVERYWHERE = re.compile(r'["*:<>?/\\|\x00-\x1f]')
_COMPANY_TOO = re.compile(r"[#%]")  # unless the organisation allows them
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?|\.lock|desktop\.ini|_vti_", re.IGNORECASE)


def check_name(name: str, *, company: bool, at_top: bool, lenient: bool) -> str:
    """The name, or the refusal; ``lenient``: # and % are allowed in company drives."""
    wrong: object = (
        not name
        or name in {".", ".."}
        or name != name.strip()
        or name.endswith(".")
        or _EVERYWHERE.search(name)
        or _RESERVED.fullmatch(name)
        or "_vti_" in name.lower()
        or name.startswith("~$")
    )
    if company:
        wrong = wrong or name.startswith("~") or (not lenient and _COMPANY_TOO.search(name))
        wrong = wrong or (at_top and name.lower() == "forms")
    if wrong:
        raise invalid("The provided name cannot contain or begin with what it does.", "invalidPath")
    if len(name.encode("utf-16-le")) // 2 > LONGEST_NAME:
        raise invalid("The specified name is too long.", "nameTooLong")
    return name


def check_path(path: str) -> None:
    """Refuse a whole path that is too long."""
    if len(path.encode("utf-16-le")) // 2 > LONGEST_PATH:
        raise invalid("The specified file or folder name is too long.", "pathIsTooLong")


def renamed(name: str, number: int) -> str:
    """What conflictBehavior "rename" makes of a taken name."""
    stem, dot, ending = name.rpartition(".")
    return f"{stem} {number}{dot}{ending}" if stem else f"{name} {number}"
