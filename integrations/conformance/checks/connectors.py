"""What every connector must do, whatever it is for."""
# ruff: noqa: S101 - a check is an assertion

from __future__ import annotations

import inspect
import logging
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import BaseModel

from integrations.conformance.bench import Bench
from integrations.conformance.parts import MemoryTokens, worker
from integrations.contract import Ability, Connector, DocumentKind, Exporter
from integrations.errors import ConnectorError, ReauthRequired, Throttled, Transient
from integrations.login import opened, sealed

PASSING_TROUBLE = ("down", "reset", "commit-then-drop")


class ConnectorChecks:
    """Manifest, sign-in, failures, separation. Give the fixtures ``sandbox``, ``connector`` and ``other_account``."""

    @pytest.fixture
    def sandbox(self) -> Any:
        """A Bench."""
        raise NotImplementedError("the test class gives the fixture «sandbox»")

    @pytest.fixture
    def connector(self) -> Any:
        """A connector with a login of its own."""
        raise NotImplementedError("the test class gives the fixture «connector»")

    @pytest.fixture
    def other_account(self) -> Any:
        """A connector of the same kind with another login."""
        raise NotImplementedError("the test class gives the fixture «other_account»")

    @pytest.fixture(autouse=True)
    def _no_trouble_is_left(self, sandbox: Bench) -> Iterator[None]:
        yield
        sandbox.clear()

    # --- what it says of itself

    def test_the_manifest_tells_people_what_they_need(self, connector: Connector) -> None:
        """Name, summary and consent are sentences; what it needs are fields of documents that it takes."""
        manifest = connector.manifest
        assert manifest.kind.isidentifier()
        assert manifest.name
        assert len(manifest.summary) > 20
        assert len(manifest.consent) > 20
        assert set(manifest.needs) <= manifest.takes
        fields = {name for needed in manifest.needs.values() for name in needed}
        assert fields <= {"party", "number", "issued_on", "due_on", "net", "tax", "gross", "account", "lines"}
        assert manifest.takes <= set(DocumentKind)

    def test_every_setting_has_a_title(self, connector: Connector) -> None:
        """The form is made of the settings: a title for each, a description unless it explains itself."""
        for model in filter(None, (connector.Config, connector.App, connector.Login)):
            for name, field in model.model_fields.items():
                assert field.title, f"{model.__name__}.{name} has no title"

    def test_the_set_up_text_stands_in_its_folder(self, connector: Connector) -> None:
        """SETUP.md, for the person who prepares the provider's side."""
        text = Path(inspect.getfile(type(connector))).parent / "SETUP.md"
        assert text.is_file()
        assert len(text.read_text("utf-8")) > 500

    def test_only_declared_abilities_are_there(self, connector: Connector) -> None:
        """Nothing is guessed from behaviour: what is declared works, what is not says so."""
        abilities = connector.manifest.abilities
        assert (Ability.OAUTH in abilities) == (connector.manifest.oauth is not None)
        assert (Ability.REVOKE in abilities) == (type(connector).revoke is not Connector.revoke)
        if Ability.OAUTH in abilities:
            assert {"authorize", "token"} <= set(connector.manifest.endpoints)
            assert ("revoke" in connector.manifest.endpoints) == (Ability.REVOKE in abilities)
        assert Ability.OAUTH not in abilities or connector.Login is None, "one signs in one way"
        if isinstance(connector, Exporter) and Ability.SPACE_LEFT in abilities:
            assert connector.check().space_total is not None

    def test_production_is_reached_over_https_only(self, connector: Connector) -> None:
        """The manifest's own addresses are the provider's."""
        assert all(url.startswith("https://") for url in connector.manifest.endpoints.values())

    # --- sign-in

    def test_an_entered_login_can_be_kept_and_hides_its_secrets(self, connector: Connector) -> None:
        """Where there is no OAuth: as it was sealed it is opened, and what is secret is in no repr."""
        if connector.Login is None:
            pytest.skip(f"{connector.manifest.kind} has no login that is entered")
        entered = login_of(connector)
        assert opened(connector.Login, sealed(entered)) == entered
        secret = [name for name, field in connector.Login.model_fields.items() if not field.repr]
        assert secret
        assert not [name for name in secret if str(getattr(entered, name)) in repr(entered)]
        for name in secret:
            extra = connector.Login.model_fields[name].json_schema_extra
            assert isinstance(extra, dict)
            assert extra.get("secret"), f"{name} would be shown in the form"

    def test_check_names_the_account(self, connector: Connector, other_account: Connector) -> None:
        """Whose login it is, told apart from another's."""
        mine, others = connector.check(), other_account.check()
        assert mine.name
        assert mine.id != others.id

    def test_a_revoked_login_asks_to_sign_in_again(self, sandbox: Bench, connector: Connector) -> None:
        """Retrying would never help, so it is not Transient."""
        connector.check()
        sandbox.revoke(connector)
        with pytest.raises(ReauthRequired):
            connector.check()

    def test_revoking_ends_the_login_at_the_provider(self, connector: Connector) -> None:
        """And doing it twice is no error."""
        needs(connector, Ability.REVOKE)
        connector.revoke()
        with pytest.raises(ReauthRequired):
            connector.check()
        connector.revoke()

    def test_an_expired_token_is_refreshed_once_and_handed_back(self, sandbox: Bench, connector: Connector) -> None:
        """The token source has the new one, and the next call uses it."""
        needs(connector, Ability.OAUTH)
        tokens = tokens_of(connector)
        before = tokens.token
        sandbox.expire(connector)
        assert connector.check().name
        assert tokens.refreshes == 1
        assert tokens.token.access != before.access
        connector.check()
        assert tokens.refreshes == 1

    def test_a_token_about_to_end_is_refreshed_before_use(self, sandbox: Bench, connector: Connector) -> None:
        """A streamed upload cannot be sent twice, so nothing is begun with a token that ends meanwhile."""
        needs(connector, Ability.OAUTH)
        tokens = tokens_of(connector)
        lives = tokens.token.expires_at
        assert lives is not None, "the provider tells how long a token lives, so the token must know"
        sandbox.advance((lives - connector.wiring.now() - timedelta(seconds=20)).total_seconds())
        connector.check()
        assert tokens.refreshes == 1

    def test_accounts_never_see_each_other(self, connector: Connector, other_account: Connector) -> None:
        """Two connectors of one process share nothing."""
        assert connector.wiring.memory is not other_account.wiring.memory
        assert connector.check().id == worker(connector).check().id
        assert other_account.check().id == worker(other_account).check().id

    # --- failures

    @pytest.mark.parametrize("trouble", PASSING_TROUBLE)
    def test_passing_trouble_is_transient(self, sandbox: Bench, connector: Connector, trouble: str) -> None:
        """5xx, a reset, an answer that never came: later it works, unchanged."""
        connector.check()
        sandbox.script([trouble])
        with pytest.raises(Transient) as caught:
            connector.check()
        assert not isinstance(caught.value, Throttled)
        sandbox.clear()
        assert connector.check().name

    def test_no_answer_in_time_is_transient(self, sandbox: Bench, connector: Connector) -> None:
        """The time-outs of the client it was given hold."""
        with httpx.Client(timeout=0.2) as impatient:
            slow = worker(connector, http=impatient)
            sandbox.script(["slow:1"])
            with pytest.raises(Transient):
                slow.check()

    def test_throttling_tells_how_long_to_wait(self, sandbox: Bench, connector: Connector) -> None:
        """As long as the provider says, and it comes before everything else."""
        connector.check()
        sandbox.script(["throttle:77"])
        with pytest.raises(Throttled) as caught:
            connector.check()
        assert caught.value.wait >= self.least_wait

    least_wait = 77.0  # smaller where the provider does not tell; then its published wait

    def test_no_token_is_ever_told(
        self, sandbox: Bench, connector: Connector, caplog: pytest.LogCaptureFixture
    ) -> None:
        """Not in a message, its facts, a log line or a repr."""
        caplog.set_level(logging.DEBUG)
        told = [repr(connector), repr(connector.wiring)]
        for trouble in ("ok", *PASSING_TROUBLE, "throttle:1"):
            sandbox.script([trouble])
            told += told_by(connector.check)
            sandbox.clear()
        sandbox.revoke(connector)
        told += told_by(connector.check)
        everything = "\n".join([*told, caplog.text])
        for secret in secrets_of(connector):
            assert secret not in everything


def told_by(call: Any) -> list[str]:
    """All that an error of ours says to people."""
    try:
        call()
    except ConnectorError as error:
        return [str(error), repr(error), str(error.facts)]
    return []


def secrets_of(connector: Connector) -> list[str]:
    """Every token there was, what was entered secretly, and the app's secrets."""
    models = [connector.wiring.app, *([login_of(connector)] if connector.Login else [])]
    secret = [
        str(getattr(model, name))
        for model in models
        for name, field in type(model).model_fields.items()
        if not field.repr
    ]
    tokens = [value for token in tokens_of(connector).seen for value in (token.access, token.refresh) if value]
    return [*secret, *tokens]


def login_of(connector: Connector) -> BaseModel:
    """What was entered to sign in."""
    assert connector.Login is not None
    return opened(connector.Login, tokens_of(connector).token)


def tokens_of(connector: Connector) -> MemoryTokens:
    """The login that the kit offers; the fixtures must use it, so that refreshes can be counted."""
    tokens = connector.wiring.tokens
    assert isinstance(tokens, MemoryTokens), "wire the connector with integrations.conformance.parts.MemoryTokens"
    return tokens


def needs(connector: Connector, ability: Ability) -> None:
    """Leave out a check of what the kind does not claim."""
    if ability not in connector.manifest.abilities:
        pytest.skip(f"{connector.manifest.kind} does not declare {ability}")
