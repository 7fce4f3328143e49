"""The person at the provider's consent page, played over real HTTP."""

from __future__ import annotations

from urllib.parse import parse_qs, parse_qsl, urlsplit

import httpx

REDIRECT_URI = "http://127.0.0.1:8000/connect/callback/google_drive"


def answer(consent_url: str, *, account: str = "anna", decision: str = "allow") -> dict[str, str]:
    """Look at the consent page, choose an account and click; what the callback would be asked with."""
    address, _, query = consent_url.partition("?")
    with httpx.Client() as person:
        page = person.get(consent_url)
        assert page.status_code == 200, page.text
        form = {**dict(parse_qsl(query)), "decision": decision, "account": account}
        back = person.post(address, data=form)
    assert back.status_code == 302, back.text
    return dict(parse_qsl(urlsplit(back.headers["location"]).query))


def asked(consent_url: str) -> dict[str, str]:
    """What the consent page was asked with."""
    return {name: values[0] for name, values in parse_qs(urlsplit(consent_url).query).items()}
