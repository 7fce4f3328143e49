"""Finding the folder that a login means: the typed address itself, or the user's files of a Nextcloud there."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from urllib.parse import quote, unquote, urlsplit

from integrations.contract import N_, Memory
from integrations.errors import ConnectorError, Misconfigured, ReauthRequired, Transient
from integrations.webdav.client import Dav
from integrations.webdav.failures import Missing
from integrations.webdav.login import DavLogin

_DAV = "/remote.php/dav"


def home_of(login: DavLogin, dav: Dav, memory: Memory) -> str:
    """The address of the folder; asked for once per instance and login, then remembered."""
    key = f"home:{hashlib.sha256(f'{login.address} {login.user}'.encode()).hexdigest()[:16]}"
    known = memory.get(key)
    if known is None:
        known = _found(login, dav)
        memory.put(key, known)
    return known


def _found(login: DavLogin, dav: Dav) -> str:
    """Whichever way leads to a folder; a bare server is more likely a Nextcloud than a WebDAV folder."""
    ways: list[Callable[[DavLogin, Dav], str | None]] = [_itself, _nextcloud]
    if urlsplit(login.address).path in {"", "/"}:
        ways.reverse()
    refusals: list[ConnectorError] = []
    for way in ways:
        try:
            home = way(login, dav)
        except Transient as error:
            if not isinstance(error, Missing):
                raise
        except ConnectorError as error:
            refusals.append(error)
        else:
            if home:
                return home
    refusals.sort(key=lambda error: not isinstance(error, ReauthRequired))
    if refusals:
        raise refusals[0]
    raise Misconfigured(N_("There is no WebDAV folder at this address. Please check it."))


def _itself(login: DavLogin, dav: Dav) -> str | None:
    """The address, when it is a folder; the top of Nextcloud's services is one, but nothing can be put there."""
    if login.address.endswith((_DAV, f"{_DAV}/files")):
        return None
    found = dav.entries(f"{login.address}/", 0)
    return login.address if found and found[0].folder else None


def _nextcloud(login: DavLogin, dav: Dav) -> str | None:
    """The files of whoever the login is at Nextcloud, which need not be the name that one signs in with."""
    found = dav.entries(f"{login.server}{_DAV}/", 0)
    principal = unquote(urlsplit((found[0].principal if found else None) or "").path).rstrip("/")
    user = principal.rpartition("/users/")[2] if "/users/" in principal else ""
    return f"{login.server}{_DAV}/files/{quote(user, safe='')}" if user else None
