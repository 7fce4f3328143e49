from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from portal.access import Viewer, viewer_of
from portal.accounts import tokens
from portal.accounts.models import ApiToken
from portal.clock import Traveller
from portal.errors import Invalid, NotFound
from portal.parts import Parts
from tests import factories

MakeViewer = Callable[..., Viewer]


USELESS = [
    ({"scopes": []}, "scopes"),
    ({"scopes": ["root"]}, "scopes"),
    ({"days": 0}, "days"),
    ({"days": 367}, "days"),
    ({"name": " "}, "name"),
]


def _create(parts: Parts, viewer: Viewer, **more: object) -> tuple[ApiToken, str]:
    wanted = {"name": "Shop", "scopes": ["read"], "days": 30, **more}
    with parts.db.transaction() as session:
        return tokens.create(session, parts.vault, viewer, **wanted)  # type: ignore[arg-type]


def test_a_token_signs_its_member_in_within_its_scopes(parts: Parts, viewer: MakeViewer) -> None:
    owner = viewer()
    row, secret = _create(parts, owner, scopes=["read", "documents"])
    assert secret not in repr(row)
    with parts.db.read() as session:
        found = tokens.verify(session, parts.vault, secret, address="203.0.113.9")
    assert found is not None
    assert (found.person_id, found.token_id, found.scopes) == (
        owner.person_id,
        row.id,
        frozenset({"read", "documents"}),
    )
    assert found.by.token_id == row.id


def test_a_token_ends_by_itself(parts: Parts, viewer: MakeViewer, clock: Traveller) -> None:
    _row, secret = _create(parts, viewer(), days=2)
    clock.advance(timedelta(days=2, seconds=1))
    with parts.db.read() as session:
        assert tokens.verify(session, parts.vault, secret) is None


def test_a_revoked_token_no_longer_works(parts: Parts, viewer: MakeViewer) -> None:
    owner = viewer()
    row, secret = _create(parts, owner)
    with parts.db.transaction() as session:
        tokens.revoke(session, owner, row.id)
        tokens.revoke(session, owner, row.id)
    with parts.db.read() as session:
        assert tokens.verify(session, parts.vault, secret) is None
        assert tokens.listed(session, owner) == []


@pytest.mark.parametrize("secret", ["", "kontor_", "kontor_wrong", "Bearer kontor_x", "x" * 5000])
def test_anything_else_is_no_token(parts: Parts, secret: str) -> None:
    with parts.db.read() as session:
        assert tokens.verify(session, parts.vault, secret) is None


@pytest.mark.parametrize(("more", "field"), USELESS)
def test_useless_tokens_are_refused(parts: Parts, viewer: MakeViewer, more: dict[str, object], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        _create(parts, viewer(), **more)
    assert refused.value.field == field


def test_use_is_noted_now_and_then(parts: Parts, viewer: MakeViewer, clock: Traveller) -> None:
    row, _secret = _create(parts, viewer())
    first = clock.moment
    for minutes in (0, 1, 10):
        clock.advance(timedelta(minutes=minutes))
        with parts.db.transaction() as session:
            tokens.used(session, row.id)
        with parts.db.read() as session:
            noted = session.get_one(ApiToken, row.id).used_at
        assert noted == (first if minutes < 10 else clock.moment)


def test_tokens_of_another_firm_cannot_be_revoked(parts: Parts, viewer: MakeViewer) -> None:
    row, _secret = _create(parts, viewer())
    with parts.db.transaction() as session:
        foreigner = viewer_of(session, factories.member(session, factories.firm(session)).person_id)
        assert foreigner is not None
        with pytest.raises(NotFound):
            tokens.revoke(session, foreigner, row.id)
