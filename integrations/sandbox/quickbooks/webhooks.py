"""Webhooks as the provider sends them: signed, in the old form or as CloudEvents; a hint, without content."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import uuid
from collections.abc import Mapping
from typing import Any

import httpx

from integrations.sandbox.clock import Clock, iso

_OPERATIONS = ("Create", "Update", "Delete", "Void", "Merge", "Emailed")
_PAST = {"Create": "created", "Update": "updated", "Delete": "deleted", "Void": "voided", "Merge": "merged",
         "Emailed": "emailed"}  # fmt: skip


def body(events: list[Mapping[str, Any]], clock: Clock, *, cloud_events: bool) -> bytes:
    """The notification of events, each with realm, entity, id and operation (Create, Update, Delete, Void …)."""
    now = iso(clock.now())
    content = [_cloud_event(event, now) for event in events] if cloud_events else _old(events, now)
    return json.dumps(content, separators=(",", ":")).encode()


def _operation(event: Mapping[str, Any]) -> str:
    operation = str(event.get("operation", "Update")).capitalize()
    if operation not in _OPERATIONS:
        raise ValueError(f"operation is one of {', '.join(_OPERATIONS)}")
    return operation


def _old(events: list[Mapping[str, Any]], now: str) -> dict[str, Any]:
    by_realm: dict[str, list[dict[str, str]]] = {}
    for event in events:
        by_realm.setdefault(str(event["realm"]), []).append(
            {"name": str(event["entity"]), "id": str(event["id"]), "operation": _operation(event), "lastUpdated": now}
        )
    return {
        "eventNotifications": [
            {"realmId": realm, "dataChangeEvent": {"entities": found}} for realm, found in by_realm.items()
        ]
    }


def _cloud_event(event: Mapping[str, Any], now: str) -> dict[str, Any]:
    verb = _PAST[_operation(event)]
    return {
        "specversion": "1.0", "id": str(uuid.uuid4()), "source": "intuit.sandbox",
        "datacontenttype": "application/json",
        "type": f"qbo.{str(event['entity']).lower()}.{verb}.v1", "time": now, "intuitentityid": str(event["id"]),
        "intuitaccountid": str(event["realm"]), "data": {},
    }  # fmt: skip


def signature(content: bytes, verifier: str) -> str:
    """The header «intuit-signature» of a body."""
    return base64.b64encode(hmac.new(verifier.encode(), content, hashlib.sha256).digest()).decode()


def send(order: Mapping[str, Any], clock: Clock) -> dict[str, Any]:
    """Post a notification: url, verifier, events (or one event's fields), form «old» or «cloudevents»."""
    events = list(order.get("events") or [order])
    content = body(events, clock, cloud_events=order.get("form") == "cloudevents")
    headers = {
        "content-type": "application/json", "user-agent": "intuit_notification_sandbox",
        "intuit-signature": signature(content, str(order["verifier"])),
    }  # fmt: skip
    try:
        response = httpx.post(str(order["url"]), content=content, headers=headers, timeout=3.0)
    except httpx.HTTPError as error:
        return {"status": None, "error": type(error).__name__, "body": content.decode()}
    return {"status": response.status_code, "body": content.decode()}
