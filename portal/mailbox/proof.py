"""Whether a sender is proven: a From can be written by anybody, so only the firm's own mail server is believed.

It says what it found (SPF, DKIM, DMARC) in an Authentication-Results header under its own name, and must remove such
headers that come from outside (RFC 8601, section 5). Without a configured name nothing is proven, and the pages say so.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from portal.mailbox.models import Proof

_COMMENT = re.compile(r"\([^()]*\)")


def proof(headers: Sequence[tuple[str, str]], host: str, sender: str) -> Proof:
    """What ``host`` says about ``sender``'s domain. ``headers`` in the order of the message, names in lower case.

    Passed is a DMARC pass for the domain in From, or a DKIM or SPF pass for a domain aligned with it (RFC 7489, 3.1).
    """
    if not host:
        return Proof.UNASKED
    domain = sender.rpartition("@")[2]
    results = [result for header in _believed(headers, host) for result in header]
    return Proof.PASSED if domain and any(_proves(result, domain) for result in results) else Proof.FAILED


def _believed(headers: Sequence[tuple[str, str]], host: str) -> Iterable[list[str]]:
    """The results of the host's own headers: those on top, down to where it wrote that it received the message."""
    begun = False
    for name, value in headers:
        if begun and name == "received":
            return
        if name == "authentication-results":
            names_itself, *results = _uncommented(value).split(";")
            if names_itself.split()[:1] == [host]:
                begun = True
                yield results


def _uncommented(value: str) -> str:
    """The value in lower case without comments, which may be within each other."""
    value = value[:10_000].lower()
    for _depth in range(5):
        value = _COMMENT.sub(" ", value)
    return value


def _proves(result: str, domain: str) -> bool:
    words = dict(word.split("=", 1) for word in result.split() if "=" in word)
    if words.get("dmarc") == "pass":
        return words.get("header.from", "") == domain
    if words.get("dkim") == "pass":
        return _aligned(words.get("header.d") or words.get("header.i", "").rpartition("@")[2], domain)
    if words.get("spf") == "pass":
        return _aligned(words.get("smtp.mailfrom", "").rpartition("@")[2], domain)
    return False


def _aligned(proven: str, domain: str) -> bool:
    """Relaxed alignment: the same domain, or one within the other."""
    proven = proven.strip('"<>. ')
    return "." in proven and (domain == proven or domain.endswith("." + proven) or proven.endswith("." + domain))
