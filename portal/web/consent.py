"""Consenting and signing in, as pages share it: the text, where the provider's page is, and what is said after it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from uuid import UUID

from flask import url_for

from portal.connections import entered
from portal.connections.entered import Entry
from portal.connections.keep import Signed
from portal.extensions import services as extensions
from portal.extensions.settings import InvalidSettings
from portal.i18n import N_, say
from portal.instances import setup
from portal.web import forms_may_go_to, login_form, notice, parts, viewer


def sign_in_here(client_id: UUID, entry: Entry) -> None:
    """Prove and keep a login that was entered; what waited for it goes on."""
    signed = entered.sign_in(parts(), viewer(), client_id, entry, setup.signed_in)
    say_connected(signed)


def say_connected(signed: Signed) -> None:
    """Say whose login it is, on the next page."""
    text = N_("Connected as %(account)s.")
    if signed.reused:
        text = N_("%(account)s was connected here before; that connection is used.")
    notice(text, account=signed.connection.account_name)


def consent_form(kind: str, stored: Mapping[str, object], refused: InvalidSettings | None) -> dict[str, object]:
    """What a page needs on which one consents and signs in, here or at the provider."""
    if not login_form.is_entered(kind):
        forms_may_go_to(authorize_url(kind))
    text = consent_text(kind)
    return {"consent": text, "seen": digest(text), "login_fields": login_form.fields(kind, stored, refused)}


def consent_text(kind: str) -> str:
    """What a person agrees to, in the language they read it in."""
    return say(extensions.manifest_of(kind).consent)


def digest(text: str) -> str:
    """Names exactly this text, so that nobody agrees to another than they saw."""
    return hashlib.sha256(text.encode()).hexdigest()


def redirect_uri(kind: str) -> str:
    """Where the provider sends the person back to; registered with the firm's app."""
    return url_for("integrations.callback", kind=kind, _external=True)


def authorize_url(kind: str) -> str:
    """The provider's consent page, without a query."""
    replaced = parts().settings.endpoints.get(kind, {})
    return replaced.get("authorize") or extensions.manifest_of(kind).endpoints["authorize"]
