"""An application with the API on it, and callers with tokens."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from portal.accounts import tokens
from portal.accounts.models import Firm, Member, Role
from portal.clients.models import Client
from portal.db import Database
from portal.parts import Parts
from tests import factories


@dataclass
class Caller:
    """Calls the API with one token."""

    browser: FlaskClient
    secret: str
    language: str = "en"
    headers: dict[str, str] = field(default_factory=dict)

    def call(self, method: str, path: str, **more: Any) -> TestResponse:
        """One request; ``path`` is below /api/v1."""
        headers = {"Accept-Language": self.language, **self.headers, **more.pop("headers", {})}
        if self.secret:
            headers["Authorization"] = f"Bearer {self.secret}"
        return self.browser.open(f"/api/v1{path}", method=method, headers=headers, **more)

    def get(self, path: str, **more: Any) -> TestResponse:
        """Read."""
        return self.call("GET", path, **more)

    def post(self, path: str, json: Any = None, **more: Any) -> TestResponse:
        """Create or do."""
        return self.call("POST", path, **({"json": json} if json is not None else {}), **more)


@pytest.fixture
def token_of(db: Database, parts: Parts) -> Callable[..., str]:
    """``token_of(member, "read", …)``: a secret."""

    def make(member: Member, *scopes: str, days: int = 30) -> str:
        with db.transaction() as session:
            return tokens.issue(session, parts.vault, member.id, name="Test", scopes=scopes or ["admin"], days=days)[1]

    return make


@pytest.fixture
def caller(app: Flask, db: Database, firm: Firm, token_of: Callable[..., str]) -> Callable[..., Caller]:
    """``caller(role, scopes, assigned)``: somebody of ``firm`` with a token."""

    def make(
        role: Role = Role.OWNER, scopes: tuple[str, ...] = ("admin",), assigned: tuple[UUID, ...] = (), of: Firm = firm
    ) -> Caller:
        with db.transaction() as session:
            member = factories.member(session, of, role=role, assigned=assigned)
        return Caller(app.test_client(), token_of(member, *scopes))

    return make


@pytest.fixture
def client(db: Database, firm: Firm) -> Client:
    """A client of ``firm``, committed."""
    with db.transaction() as session:
        return factories.client(session, firm)


@pytest.fixture(autouse=True)
def _no_limits(app: Flask) -> None:
    """Tests of limits set their own."""
    app.extensions["kontor-api"].config.update(API_PER_TOKEN="100000 per minute", API_PER_STRANGER="100000 per minute")
