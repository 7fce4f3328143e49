"""Dropbox's sign-in, where it differs: a refresh token is asked for by name, and the answer says whose the token is."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from integrations.sandbox.oauth import DEMO_CLIENT, Grant, OAuth


class DropboxOAuth(OAuth):
    """As the OAuth guide of dropbox.com/developers has it."""

    def offline(self, client_id: str, account: str, asked: Mapping[str, str]) -> bool:
        """Only for ``token_access_type=offline``, and then each time."""
        return asked.get("token_access_type") == "offline"

    def exchange(self, client_id: str, form: Mapping[str, str]) -> dict[str, Any]:
        """With account_id and uid."""
        return self._whose(super().exchange(client_id, form), self._codes.get(form["code"])["account"])

    def grant(self, account: str, scopes: Sequence[str] = (), client_id: str = DEMO_CLIENT) -> dict[str, Any]:
        """As the code flow answers."""
        return self._whose(super().grant(account, scopes, client_id), account)

    def end_grant(self, grant: Grant) -> None:
        """All tokens of a consent die, the refresh token too."""
        self._end(grant.id)

    @staticmethod
    def _whose(answer: dict[str, Any], account: str) -> dict[str, Any]:
        number = int.from_bytes(hashlib.sha256(account.encode()).digest()[:4], "big")
        return {**answer, "account_id": account_key(account), "uid": str(number)}


def account_key(account_id: str) -> str:
    """A «dbid» of 40 characters."""
    return "dbid:" + hashlib.sha256(account_id.encode()).hexdigest()[:35]
