"""The OpenAPI document: valid, complete, and true of what the running application answers."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import Unsatisfiable
from hypothesis.strategies import booleans
from openapi_spec_validator import OpenAPIV31SpecValidator
from schemathesis import checks
from schemathesis.checks import not_a_server_error

from portal.accounts.models import Firm
from portal.clients.models import Client
from portal.db import Database
from portal.parts import Parts
from tests import factories
from tests.portal.api.conftest import Caller

SEED = 20260304
EXAMPLES = 10  # per operation, right and wrong ones
APP = {"client_id": "kontor-demo", "client_secret": "kontor-demo-secret"}
CHECKS = [
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_schema_conformance,
    checks.response_headers_conformance,
]


@pytest.fixture
def spec(app: Flask) -> dict[str, Any]:
    found: dict[str, Any] = app.test_client().get("/api/v1/openapi.json").json or {}
    return found


def test_it_is_valid_openapi_3_1_and_needs_no_token(spec: dict[str, Any]) -> None:
    assert spec["openapi"].startswith("3.1")
    OpenAPIV31SpecValidator(spec).validate()


def test_every_operation_has_its_own_id_a_summary_and_all_its_answers(spec: dict[str, Any]) -> None:
    operations = [(path, method, one) for path, item in spec["paths"].items() for method, one in item.items()]
    names = [one["operationId"] for _path, _method, one in operations]
    assert len(set(names)) == len(names) >= 35
    for path, method, one in operations:
        assert one["summary"], path
        assert {"401", "404", "422", "429", "503"} <= one["responses"].keys(), (path, method)
        assert any(code.startswith("2") for code in one["responses"]), (path, method)


def test_every_route_is_documented(app: Flask, spec: dict[str, Any]) -> None:
    routes = {
        (rule.rule.replace("<uuid:", "{").replace("<string:", "{").replace(">", "}"), method.lower())
        for rule in app.extensions["kontor-api"].url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        if not rule.endpoint.startswith(("openapi.", "static"))
    }
    assert routes == {(path, method) for path, item in spec["paths"].items() for method in item}


@pytest.mark.timeout(600)
def test_no_answer_is_undocumented_and_none_is_a_fault_of_ours(
    app: Flask, caller: Callable[..., Caller], client: Client, firm: Firm, db: Database, parts: Parts
) -> None:
    print(f"seed {SEED}")  # noqa: T201 - for whoever repeats a failure
    things = _populated(client, firm, db, parts)
    secret = caller().secret
    loaded = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", app)
    operations: list[Any] = list(loaded.get_all_operations())
    for found in operations:
        for mode in (schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE):
            _try(found.ok(), mode, secret, things)


def _populated(client: Client, firm: Firm, db: Database, parts: Parts) -> dict[str, str]:
    """One thing of each sort, and the ids by which paths name them."""
    with db.transaction() as session:
        account = factories.account(session, client)
        document = factories.document(session, client, parts=parts)
        installed = factories.installation(session, firm, kind="google_drive", parts=parts, **APP)
        instance = factories.instance(session, client, installed)
        delivery = factories.delivery(session, document, instance)
    rows: dict[str, Any] = {
        "client": client,
        "account": account,
        "document": document,
        "instance": instance,
        "delivery": delivery,
    }
    return {f"{name}_id": str(row.id) for name, row in rows.items()} | {"kind": "google_drive"}


def _try(operation: Any, mode: schemathesis.GenerationMode, secret: str, things: dict[str, str]) -> None:
    @seed(SEED)
    @settings(
        max_examples=EXAMPLES, deadline=None, database=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(case=operation.as_strategy(generation_mode=mode), real=booleans())
    def one(case: Any, real: bool) -> None:
        if real:  # things that exist, so that more than 404 is answered
            case.path_parameters.update({name: things[name] for name in case.path_parameters if name in things})
        case.call_and_validate(headers={"Authorization": f"Bearer {secret}"}, checks=CHECKS)

    with suppress(Unsatisfiable):  # nothing can be wrong about an operation without parameters
        one()
