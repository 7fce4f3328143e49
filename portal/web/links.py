"""One-time links as they are shown to whoever made them: once, to be copied or handed over."""

from __future__ import annotations

from dataclasses import dataclass

from flask import url_for

from portal.accounts.services import Invited


@dataclass(frozen=True)
class Link:
    """A link for a person; ``url`` is None when they sign in with a password they have already."""

    name: str
    email: str
    url: str | None

    @classmethod
    def of(cls, invited: Invited) -> Link:
        """The link of somebody just invited."""
        url = url_for("auth.invitation", secret=invited.secret, _external=True) if invited.secret else None
        return cls(invited.person.name, invited.person.email, url)
