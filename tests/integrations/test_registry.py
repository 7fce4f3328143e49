from __future__ import annotations

import inspect

import pytest

import integrations
from integrations.contract import Connector, Exporter, Importer, Ledger

KINDS = sorted(integrations.KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_a_complete_connector(kind: str) -> None:
    made = integrations.get(kind)
    assert issubclass(made, Connector)
    assert not inspect.isabstract(made)
    assert made.manifest.kind == kind


@pytest.mark.parametrize("kind", KINDS)
def test_every_setting_of_every_kind_can_be_written_as_a_form(kind: str) -> None:
    made = integrations.get(kind)
    for model in (made.Config, made.App):
        for name, field in model.model_json_schema()["properties"].items():
            assert field.get("title"), f"{kind}.{name}"


def test_an_unknown_kind_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        integrations.get("no such kind")


def test_ours_go_before_third_party_ones_of_the_same_name() -> None:
    assert integrations.kinds().items() >= integrations.KINDS.items()


def test_a_ledger_is_an_exporter_and_an_importer_is_neither() -> None:
    assert issubclass(Ledger, Exporter)
    assert not issubclass(Importer, Exporter)
