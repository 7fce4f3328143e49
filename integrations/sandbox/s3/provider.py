"""The simulated S3: its buckets and keys, a page for each bucket, and its words for trouble."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from werkzeug.utils import redirect
from werkzeug.wrappers import Request, Response

from integrations.sandbox.files import Listing, Login, change_of, files_page
from integrations.sandbox.oauth import Account, Rules
from integrations.sandbox.provider import Core, Provider, Setting, Unknown
from integrations.sandbox.s3.answers import ERRORS, Refused, document
from integrations.sandbox.s3.methods import Methods
from integrations.sandbox.s3.signatures import signed_by
from integrations.sandbox.s3.vault import Vault

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

    from integrations.sandbox.faults import Step

# bucket -> access key; everything here is made up and shown on its page
_BUCKETS = {"sonnenschein-belege": "KONTORSANDBOXANNA", "weber-belege": "KONTORSANDBOXJONAS"}
_PAGES = "/_buckets/"


class S3(Provider):
    """Buckets below ``/s3``, the bucket in the path; each has a key of its own."""

    kind: ClassVar[str] = "s3"
    title: ClassVar[str] = "S3"
    rules: ClassVar[Rules] = Rules(scopes={}, brand="#7a4b12")
    known_settings: ClassVar[Mapping[str, Setting]] = {
        "conditions": Setting("conditional writes: kept, ignored or refused", "kept"),
        "lists": Setting("keys in lists when asked to encode them: encoded or plain", "encoded"),
        "region": Setting("the only region that signatures may name; empty: any", ""),
    }

    def __init__(self, core: Core) -> None:
        super().__init__(core)
        self._secrets = core.store.bucket("s3:secrets")
        self._methods = Methods(self)

    @property
    def wsgi(self) -> WSGIApplication:
        """The app."""
        return self._wsgi

    def _wsgi(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        request = Request(environ)
        try:
            answer = self._api(request) if self.is_api(request.path) else self._page(request)
        except Refused as refused:
            answer = refused.response(request.method)
        except Unknown:
            answer = Refused("NoSuchKey").response()
        return answer(environ, start_response)

    def is_api(self, path: str) -> bool:
        """All but the pages."""
        return not path.startswith(_PAGES)

    def endpoints(self, base: str) -> dict[str, str]:
        """The kind has none of its own; this is what a person enters."""
        return {"address": base}

    def accounts(self) -> Sequence[Account]:
        """Two buckets."""
        return [
            Account(id=bucket, name=bucket, detail=f"{key} · {self.secret(bucket)}", page=f"{_PAGES}{bucket}")
            for bucket, key in _BUCKETS.items()
        ]

    def secret(self, bucket: str) -> str:
        """The secret key of a bucket as it is now; empty when the key was deleted."""
        changed = self._secrets.get(bucket)
        return f"secret-of-{bucket}" if changed is None else str(changed)

    def vault(self, bucket: str) -> Vault:
        """The objects of a bucket; NoSuchBucket if there is none."""
        if bucket not in _BUCKETS:
            raise Refused("NoSuchBucket", BucketName=bucket)
        return Vault(self.store, self.clock, bucket, self.store.bucket("s3:limits").get(bucket))

    def _api(self, request: Request) -> Response:
        secrets = {key: self.secret(bucket) for bucket, key in _BUCKETS.items() if self.secret(bucket)}
        key = signed_by(request, secrets, str(self.settings.get("region")))
        bucket, _, path = request.path.lstrip("/").partition("/")
        if not bucket:
            return self._buckets(key)
        vault = self.vault(bucket)
        if _BUCKETS[bucket] != key:
            raise Refused("AccessDenied")
        return self._methods.object(request, vault, path) if path else self._methods.bucket(request, vault)

    def _buckets(self, key: str) -> Response:
        mine = [
            ("Bucket", [("Name", bucket), ("CreationDate", "2026-01-01T00:00:00.000Z")])
            for bucket, owner in _BUCKETS.items()
            if owner == key
        ]
        return document("ListAllMyBucketsResult", [("Owner", [("ID", key)]), ("Buckets", mine)])

    # --- pages for people

    def _page(self, request: Request) -> Response:
        bucket = request.path.removeprefix(_PAGES).strip("/")
        vault = self.vault(bucket)
        if request.method == "POST":
            self.change(bucket, change_of(request))
            return redirect(f"{request.root_path}{request.path}", 303)
        if (key := request.args.get("get")) is not None:
            row = vault.row(key)
            if row is None:
                raise Refused("NoSuchKey")
            return Response(vault.content(row), content_type="application/octet-stream")
        facts = [
            ("address", f"{request.host_url.rstrip('/')}{request.root_path}"),
            ("bucket", bucket),
            ("access_key", _BUCKETS[bucket]),
            ("secret_key", self.secret(bucket)),
        ]
        return files_page(request, self, bucket, Login(facts=facts), [Listing.of(row) for row in vault.rows()])

    def change(self, bucket: str, order: Mapping[str, Any]) -> None:
        """What a person does: delete, write (text)."""
        vault, key = self.vault(bucket), str(order["path"])
        with self.store.transaction():
            match order.get("action"):
                case "delete":
                    vault.delete(key)
                case "write":
                    vault.write(key, str(order["text"]).encode(), {})
                case other:
                    raise ValueError(f"no action {other!r}")

    # --- trouble, and the remote control

    def refusal(self, step: Step, request: Request) -> Response | None:
        """Trouble as S3 words it; it names no wait. ``fault:CODE`` knows the codes of the published list."""
        codes = {"throttle": "SlowDown", "full": "QuotaExceeded", "down": "InternalError", "fault": step.argument}
        code = codes.get(step.name, "")
        return Refused(code).response(request.method) if code in ERRORS else None

    def control(self, action: str, order: Mapping[str, Any]) -> Any:
        """``files``, ``uploads``: all of a bucket. ``change``: as a person. ``secret``, ``limit`` (bytes): set it."""
        bucket = str(order.get("bucket", ""))
        if bucket not in _BUCKETS:
            raise Unknown(f"s3 has no bucket {bucket!r}")
        match action:
            case "files":
                return self.vault(bucket).rows()
            case "uploads":
                return [upload for upload, _row in self.vault(bucket).uploads()]
            case "change":
                return self.change(bucket, order)
            case "secret":
                return self._secrets.put(bucket, str(order["secret"]))
            case "limit":
                return self.store.bucket("s3:limits").put(bucket, int(order["bytes"]))
        return super().control(action, order)
