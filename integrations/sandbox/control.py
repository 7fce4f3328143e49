"""The control calls below /_control, for tests and the demo: faults, clock, settings, apps, grants, list of calls."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from werkzeug.wrappers import Request, Response

from integrations.sandbox.clock import iso
from integrations.sandbox.faults import BadScript
from integrations.sandbox.provider import Provider, Unknown
from integrations.sandbox.wire import json_response

if TYPE_CHECKING:
    from integrations.sandbox.app import Sandbox

Order = Mapping[str, Any]


class Control:
    """The remote control of one sandbox."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._calls: dict[tuple[str, str], Callable[[Order], Any]] = {
            ("GET", "clock"): self._time,
            ("POST", "clock"): self._advance,
            ("DELETE", "clock"): self._time_reset,
            ("GET", "faults"): lambda _: sandbox.core.faults.pending(),
            ("POST", "faults"): lambda order: sandbox.core.faults.add(order, list(sandbox.providers)),
            ("DELETE", "faults"): self._faults_cleared,
            ("GET", "log"): lambda order: sandbox.calls.listed(order.get("provider", "")),
            ("DELETE", "log"): self._log_cleared,
            ("POST", "apps"): lambda order: self._provider(order).oauth.register(order),
            ("POST", "grant"): self._grant,
            ("POST", "revoke"): self._revoke,
            ("POST", "expire"): self._expire,
            ("GET", "settings"): self._settings,
            ("POST", "settings"): self._set,
        }

    def answer(self, request: Request, path: str) -> Response:
        """The answer to one control call; ``path`` is what follows /_control/."""
        try:
            return json_response(self._call(request, path))
        except (BadScript, ValueError, TypeError) as error:
            return json_response({"error": str(error)}, 400)
        except LookupError as error:
            return json_response({"error": str(error).strip("'\"")}, 404)

    def _call(self, request: Request, path: str) -> Any:
        order = _order(request)
        kind, _, action = path.partition("/")
        if action and kind in self._sandbox.providers and request.method == "POST":
            return self._sandbox.providers[kind].control(action, order)
        call = self._calls.get((request.method, path))
        if call is None:
            raise Unknown(f"no control call {request.method} {path}")
        return call(order)

    def _provider(self, order: Order) -> Provider:
        kind = str(order.get("provider", ""))
        if kind not in self._sandbox.providers:
            raise Unknown(f"no provider {kind!r}; there are {', '.join(self._sandbox.providers)}")
        return self._sandbox.providers[kind]

    def _time(self, _: Order) -> Any:
        clock = self._sandbox.core.clock
        return {"now": iso(clock.now()), "advanced": clock.advanced}

    def _advance(self, order: Order) -> Any:
        self._sandbox.core.clock.advance(float(order["advance"]))
        return self._time(order)

    def _time_reset(self, order: Order) -> Any:
        self._sandbox.core.clock.reset()
        return self._time(order)

    def _faults_cleared(self, _: Order) -> Any:
        self._sandbox.core.faults.clear()
        return self._sandbox.core.faults.pending()

    def _log_cleared(self, _: Order) -> Any:
        self._sandbox.calls.clear()
        return []

    def _grant(self, order: Order) -> Any:
        oauth = self._provider(order).oauth
        more = {"client_id": str(order["client_id"])} if "client_id" in order else {}
        return oauth.grant(str(order.get("account", "")), list(order.get("scopes", ())), **more)

    def _revoke(self, order: Order) -> Any:
        """End all grants of an account, as its owner does in the provider's own settings."""
        account, access = str(order.get("account", "")), str(order.get("access_token", ""))
        return {"ended": self._provider(order).oauth.end(account=account, access=access)}

    def _expire(self, order: Order) -> Any:
        self._provider(order).oauth.expire(str(order["access_token"]))
        return {}

    def _settings(self, order: Order) -> Any:
        if order.get("provider"):
            return self._provider(order).settings.all()
        return {
            kind: {
                name: {"value": provider.settings.get(name), "help": setting.help}
                for name, setting in provider.known_settings.items()
            }
            for kind, provider in self._sandbox.providers.items()
        }

    def _set(self, order: Order) -> Any:
        provider = self._provider(order)
        provider.settings.put({name: value for name, value in order.items() if name != "provider"})
        return provider.settings.all()


def _order(request: Request) -> Order:
    if request.method == "GET":
        return request.args.to_dict()
    order = request.get_json(force=True, silent=True) if request.data else {}
    if not isinstance(order, dict):
        raise ValueError("the body is not a JSON object")  # noqa: TRY004 - a bad value of the caller
    return order
