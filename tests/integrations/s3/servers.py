"""An S3 server that is not ours: moto, behind the sandbox's faults."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.wrappers import Response

from integrations.sandbox.oauth import Account, Rules
from integrations.sandbox.provider import Core, Provider

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment
    from werkzeug.wrappers import Request

    from integrations.sandbox.faults import Step


class Moto(Provider):
    """moto keeps its objects for the whole process, and takes any key; which keys are dead is known here."""

    kind: ClassVar[str] = "s3"
    title: ClassVar[str] = "moto"
    rules: ClassVar[Rules] = Rules(scopes={})

    def __init__(self, core: Core) -> None:
        super().__init__(core)
        self._served = DomainDispatcherApplication(create_backend_app)
        self._dead: set[str] = set()

    @property
    def wsgi(self) -> WSGIApplication:
        return self._at_the_top

    def _at_the_top(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        signed = environ.get("HTTP_AUTHORIZATION", "")
        if any(f"Credential={key}/" in signed for key in self._dead):
            return error(403, "InvalidAccessKeyId")(environ, start_response)
        top = {"SCRIPT_NAME": "", "RAW_URI": environ["RAW_URI"].removeprefix(environ["SCRIPT_NAME"])}
        found: Iterable[bytes] = self._served({**environ, **top}, start_response)
        return found

    def endpoints(self, base: str) -> dict[str, str]:
        return {"address": base}

    def accounts(self) -> Sequence[Account]:
        return []

    def is_api(self, path: str) -> bool:
        return not path.startswith("/moto-api")

    def refusal(self, step: Step, request: Request) -> Response | None:
        return error(503, "SlowDown") if step.name == "throttle" else error(500, "InternalError")

    def control(self, action: str, order: Mapping[str, Any]) -> Any:
        if action == "dead":
            self._dead.add(str(order["key"]))
            return {}
        return super().control(action, order)


def error(status: int, code: str) -> Response:
    return Response(f"<Error><Code>{code}</Code></Error>", status, content_type="application/xml")
