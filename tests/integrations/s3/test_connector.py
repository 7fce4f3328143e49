"""What the kit does not ask: few calls, servers that keep no conditions, orphaned parts, clashes, addresses."""

from __future__ import annotations

import hashlib
from typing import Any

import httpx
import pytest
from pydantic import ValidationError

from integrations.addresses import Reach
from integrations.conformance.parts import MemoryFacts, filler, revised, sample, worker
from integrations.contract import DocumentKind, DriftKind, OutgoingDocument, Party, Receipt, Step
from integrations.errors import Misconfigured, ReauthRequired, Rejected, StorageFull, Throttled, Transient
from integrations.layout import Layout
from integrations.s3.connector import S3Bucket
from integrations.s3.login import S3Login
from integrations.s3.multipart import PART
from integrations.s3.shelf import S3Shelf
from tests.integrations.bench import entered
from tests.integrations.s3.bench import JONAS, S3Bench
from tests.integrations.wire import provider


def invoice(content: bytes = b"%PDF-1.7 sample", **facts: Any) -> OutgoingDocument:
    return sample(DocumentKind.INCOMING_INVOICE, content, **facts)


def deliver(connector: S3Bucket, document: OutgoingDocument, previous: Receipt | None = None) -> Receipt:
    return connector.deliver(document, connector.reserve(document), previous)


def calls(sandbox: S3Bench) -> list[str]:
    return [call["method"] for call in sandbox.log()]


# --- few calls, and what conditions are worth


def test_a_document_costs_one_call_once_the_server_is_known(sandbox: S3Bench, connector: S3Bucket) -> None:
    deliver(connector, invoice())
    assert calls(sandbox) == ["HEAD", "PUT", "PUT"]  # the second one is refused: this server keeps conditions
    receipts = [deliver(worker(connector), invoice()) for _ in range(3)]
    assert calls(sandbox)[3:] == ["PUT"] * 3
    connector.inspect(receipts)
    assert calls(sandbox)[6:] == ["GET"]


@pytest.mark.parametrize("conditions", ["ignored", "refused"])
def test_a_server_without_conditions_is_looked_at_before_each_document(
    sandbox: S3Bench, connector: S3Bucket, conditions: str
) -> None:
    sandbox.control("settings", provider="s3", conditions=conditions)
    deliver(connector, invoice())
    first, second = (invoice(content, number="R-1", party=None) for content in (b"first", b"second"))
    receipts = [deliver(connector, document) for document in (first, second)]
    assert [sandbox.content(receipt.remote_id) for receipt in receipts] == [b"first", b"second"]
    before = len(calls(sandbox))
    deliver(connector, invoice())
    assert calls(sandbox)[before:] == ["HEAD", "PUT"]
    new = revised(first, b"corrected")
    assert sandbox.content(deliver(connector, new, receipts[0]).remote_id) == b"corrected"


# --- changes


def test_a_correction_files_it_elsewhere_and_leaves_nothing_behind(sandbox: S3Bench, connector: S3Bucket) -> None:
    document = invoice()
    receipt = deliver(connector, document)
    moved = deliver(connector, revised(document, account="Tagesgeld"), receipt)
    assert sandbox.held() == [moved.remote_id]
    assert "/Tagesgeld/" in moved.remote_id


@pytest.mark.parametrize("call", range(6))
def test_a_correction_whose_answer_is_lost_is_done_once(sandbox: S3Bench, connector: S3Bucket, call: int) -> None:
    document = invoice()
    receipt = deliver(connector, document)
    new = revised(document, b"%PDF-1.7 corrected", number="R-2")
    sandbox.script([*["ok"] * call, "commit-then-drop"])
    try:
        moved = deliver(connector, new, receipt)
    except Transient:
        sandbox.clear()
        moved = deliver(connector, new, receipt)
    sandbox.clear()
    assert sandbox.held() == [moved.remote_id]
    assert sandbox.content(moved.remote_id) == b"%PDF-1.7 corrected"


def test_what_somebody_changed_meanwhile_is_not_written_over(sandbox: S3Bench, connector: S3Bucket) -> None:
    document = invoice()
    receipt = deliver(connector, document)
    sandbox.script(["ok", "fault:PreconditionFailed"])
    with pytest.raises(Transient, match="just changing"):
        deliver(connector, revised(document, b"new"), receipt)


def test_a_deleted_folder_is_deleted_files_and_they_come_back(sandbox: S3Bench, connector: S3Bucket) -> None:
    documents = [invoice(), invoice()]
    receipts = [deliver(connector, document) for document in documents]
    for receipt in receipts:
        sandbox.remove(connector, receipt)
    assert [drift.kind for drift in connector.inspect(receipts)] == [DriftKind.GONE] * 2
    for document, receipt in zip(documents, receipts, strict=True):
        assert connector.plan(document, receipt).step is Step.CREATE
        deliver(connector, document, receipt)
    assert sorted(sandbox.held()) == sorted(receipt.remote_id for receipt in receipts)


def test_another_etag_of_equal_content_is_no_change(sandbox: S3Bench, connector: S3Bucket) -> None:
    content = filler(2 * PART + 1)
    receipt = deliver(connector, invoice(content))  # in parts, so its ETag is not that of the bytes
    sandbox.do("write", receipt.remote_id, text=content.decode("latin-1"))
    assert [drift.kind for drift in connector.inspect([receipt])] == [DriftKind.CHANGED]
    small = deliver(connector, invoice(b"the same"))
    assert connector.inspect([small]) == []


def test_an_equal_object_is_adopted_by_two_calls(sandbox: S3Bench, connector: S3Bucket) -> None:
    document = invoice()
    receipt = deliver(connector, document)
    before = len(calls(sandbox))
    assert deliver(connector, document).remote_id == receipt.remote_id
    assert calls(sandbox)[before:] == ["PUT", "HEAD"]


def test_other_peoples_objects_are_never_written_over(sandbox: S3Bench, connector: S3Bucket) -> None:
    document = invoice(b"ours, and as long")
    wanted = deliver(connector, document).remote_id
    sandbox.do("write", wanted, text="theirs")
    sandbox.do("write", f"{wanted[:-4]} (2).pdf", text="theirs as well!!!")
    again = deliver(worker(connector, MemoryFacts()), document)
    assert again.remote_id == f"{wanted[:-4]} (3).pdf"
    assert deliver(worker(connector, MemoryFacts()), document).remote_id == again.remote_id
    assert sandbox.content(wanted) == b"theirs"


def test_many_objects_are_listed_page_by_page(sandbox: S3Bench, connector: S3Bucket) -> None:
    for number in range(7):
        deliver(connector, invoice(f"{number}".encode()))
    folder = sandbox.held()[0].rpartition("/")[0]
    assert [one.key for one in connector.s3.listed(f"{folder}/", most=3)] == sorted(sandbox.held())


@pytest.mark.parametrize("lists", ["encoded", "plain"])
def test_blanks_and_plus_signs_are_read_from_either_kind_of_list(
    sandbox: S3Bench, connector: S3Bucket, lists: str
) -> None:
    sandbox.control("settings", provider="s3", lists=lists)
    document = invoice(number="7+8 / 9 & 10'ä", party=Party(name="Blank & Plus + Söhne"))
    receipt = deliver(connector, document)
    assert connector.inspect([receipt]) == []
    assert [one.key for one in connector.s3.listed(f"{receipt.remote_id.rpartition('/')[0]}/")] == sandbox.held()


def test_what_somebody_changed_can_be_accepted_or_written_over(sandbox: S3Bench, connector: S3Bucket) -> None:
    document = invoice()
    receipt = deliver(connector, document)
    sandbox.alter(connector, receipt)
    (drift,) = connector.inspect([receipt])
    assert drift.now is not None
    assert drift.now.checksum == f"sha256:{hashlib.sha256(b'changed by a person').hexdigest()}"
    assert connector.inspect([drift.now]) == []
    restored = deliver(connector, document, receipt)
    assert restored.remote_id == receipt.remote_id
    assert connector.inspect([restored]) == []
    assert [drift.kind for drift in connector.inspect([drift.now])] == [DriftKind.CHANGED]


# --- parts


@pytest.mark.parametrize("call", range(1, 7))
@pytest.mark.parametrize("trouble", ["reset", "commit-then-drop", "down"])
def test_no_part_of_an_upload_that_broke_off_is_left(
    sandbox: S3Bench, connector: S3Bucket, call: int, trouble: str
) -> None:
    document = invoice(filler(2 * PART + 1))
    sandbox.script([*["ok"] * call, trouble])
    try:
        deliver(connector, document)
    except Transient:
        sandbox.clear()
        deliver(connector, document)
    assert len(sandbox.held()) == 1
    # An upload whose very id was lost has no parts; nobody can know of it.
    assert len(sandbox.uploads()) <= (1 if (call, trouble) == (1, "commit-then-drop") else 0)


def test_a_worker_that_died_leaves_its_parts_to_the_next_one(sandbox: S3Bench, connector: S3Bucket) -> None:
    document = invoice(filler(2 * PART + 1))

    class Killed(BaseException):
        pass

    class Dying(httpx.BaseTransport):
        def __init__(self) -> None:
            self.inner, self.left = httpx.HTTPTransport(), 3

        def handle_request(self, request: httpx.Request) -> httpx.Response:
            self.left -= 1
            if self.left < 0:
                raise Killed
            return self.inner.handle_request(request)

        def close(self) -> None:
            self.inner.close()

    with httpx.Client(transport=Dying()) as dying, pytest.raises(Killed):
        deliver(worker(connector, http=dying), document)
    assert len(sandbox.uploads()) == 1
    deliver(connector, document)
    assert sandbox.uploads() == []
    assert len(sandbox.held()) == 1


# --- refusals


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("AccessDenied", Misconfigured), ("AuthorizationHeaderMalformed", Misconfigured),
        ("BadDigest", Rejected), ("ConditionalRequestConflict", Transient), ("ExpiredToken", ReauthRequired),
        ("InternalError", Transient), ("InvalidAccessKeyId", ReauthRequired), ("NoSuchBucket", Misconfigured),
        ("OperationAborted", Transient), ("PermanentRedirect", Misconfigured), ("QuotaExceeded", StorageFull),
        ("RequestTimeTooSkewed", Transient), ("RequestTimeout", Transient), ("ServiceUnavailable", Transient),
        ("SignatureDoesNotMatch", ReauthRequired), ("SlowDown", Throttled), ("MethodNotAllowed", Misconfigured),
    ],
)  # fmt: skip
def test_each_code_says_who_must_act(sandbox: S3Bench, connector: S3Bucket, code: str, error: type) -> None:
    deliver(connector, invoice())
    sandbox.script([f"fault:{code}"])
    with pytest.raises(error) as caught:
        deliver(connector, invoice(b"12345"))
    assert code in str(caught.value.__cause__)
    if isinstance(caught.value, StorageFull):
        assert caught.value.needed == 5


def test_a_full_bucket_says_how_much_is_missing(sandbox: S3Bench, connector: S3Bucket) -> None:
    deliver(connector, invoice())
    sandbox.control("s3/limit", bucket=connector.login.bucket, bytes=100)
    for size in (500, 2 * PART + 1):
        with pytest.raises(StorageFull) as caught:
            deliver(connector, invoice(filler(size)))
        assert caught.value.needed == size
    assert sandbox.uploads() == []


@pytest.mark.parametrize(
    ("login", "error", "words"),
    [
        ({"secret_key": "wrong"}, ReauthRequired, "ended"),
        ({"access_key": "NOBODY"}, ReauthRequired, "ended"),
        ({"access_key": "KONTORSANDBOXANNA", "bucket": JONAS, "secret_key": "secret-of-sonnenschein-belege"},
         Misconfigured, "may not"),
        ({"bucket": "not-there"}, ReauthRequired, "ended"),
        ({"bucket": "not-there", "secret_key": "secret-of-sonnenschein-belege"}, Misconfigured, "no bucket"),
        ({"path_style": False}, Transient, "reached"),  # bucket.127.0.0.1 is no name
    ],
)  # fmt: skip
def test_a_wrong_login_says_what_is_wrong(sandbox: S3Bench, login: dict[str, Any], error: type, words: str) -> None:
    with pytest.raises(error, match=words):
        sandbox.signed_in(**login).check()


def test_a_wrong_region_is_told(sandbox: S3Bench) -> None:
    sandbox.control("settings", provider="s3", region="eu-central-1")
    with pytest.raises(Misconfigured, match="region"):
        sandbox.signed_in().check()
    assert sandbox.signed_in(signing_region="eu-central-1").check().name


def test_a_refusal_of_a_look_is_asked_for_its_reason(sandbox: S3Bench, connector: S3Bucket) -> None:
    sandbox.revoke(connector)
    with pytest.raises(ReauthRequired):  # answers to HEAD have no body: only the listing tells
        connector.s3.head("Kontor/x.pdf")


def test_a_success_that_turns_out_an_error_is_one() -> None:
    with provider() as wire, httpx.Client() as http:
        wire.answer(200, "<Error><Code>SlowDown</Code></Error>")
        with pytest.raises(Throttled):
            at(wire.url, http).check()


def test_an_answer_that_is_no_list_is_tried_again() -> None:
    with provider() as wire, httpx.Client() as http:
        wire.answer(200, "<html><p>Welcome<p></html>")
        with pytest.raises(Transient, match="unexpected"):
            at(wire.url, http).check()


def test_the_firms_inner_network_is_out_of_reach() -> None:
    with provider() as wire, httpx.Client() as http:
        with pytest.raises(Misconfigured, match="cannot be used"):
            at(wire.url, http, Reach()).check()
        assert wire.asked == []


def at(address: str, http: httpx.Client, app: Reach | None = None) -> S3Bucket:
    login = S3Login(endpoint=address, bucket="belege", access_key="KEY", secret_key="secret")
    made = entered(S3Bucket, login, Layout(), app or Reach(inner="127.0.0.1"), http)
    assert isinstance(made, S3Bucket)
    return made


# --- addresses


@pytest.mark.parametrize(
    ("entered_as", "base", "region"),
    [
        ({"endpoint": "eu-central-1"}, "https://s3.eu-central-1.amazonaws.com/belege", "eu-central-1"),
        ({"endpoint": " EU-Central-1 ", "path_style": False},
         "https://belege.s3.eu-central-1.amazonaws.com", "eu-central-1"),
        ({"endpoint": "cn-north-1"}, "https://s3.cn-north-1.amazonaws.com.cn/belege", "cn-north-1"),
        ({"endpoint": "s3.example.com"}, "https://s3.example.com/belege", "us-east-1"),
        ({"endpoint": "https://s3.fr-par.scw.cloud/"}, "https://s3.fr-par.scw.cloud/belege", "fr-par"),
        ({"endpoint": "https://s3-eu-central-2.ionoscloud.com"},
         "https://s3-eu-central-2.ionoscloud.com/belege", "eu-central-2"),
        ({"endpoint": "https://fsn1.your-objectstorage.com", "signing_region": "fsn1"},
         "https://fsn1.your-objectstorage.com/belege", "fsn1"),
        ({"endpoint": "https://minio.example:9000/s3", "path_style": False},
         "https://belege.minio.example:9000/s3", "us-east-1"),
    ],
)  # fmt: skip
def test_where_a_bucket_is_and_what_is_signed_for(entered_as: dict[str, Any], base: str, region: str) -> None:
    login = S3Login(bucket="belege", access_key="KEY", secret_key="secret", **entered_as)
    assert (login.base, login.region) == (base, region)


@pytest.mark.parametrize(
    "wrong",
    [
        {"endpoint": "ftp://x.example"}, {"endpoint": "https://a:b@x.example"}, {"bucket": "a/b"}, {"bucket": ".."},
        {"bucket": "x@evil.example"}, {"access_key": "KEY\nHost: x"}, {"signing_region": "eu/../x"},
    ],
)  # fmt: skip
def test_what_cannot_be_a_login_is_refused(wrong: dict[str, str]) -> None:
    right = {"endpoint": "eu-central-1", "bucket": "belege", "access_key": "KEY", "secret_key": "secret"}
    with pytest.raises(ValidationError):
        S3Login(**{**right, **wrong})


def test_the_link_is_amazons_page_for_the_object(sandbox: S3Bench, connector: S3Bucket) -> None:
    login = S3Login(endpoint="eu-central-1", bucket="belege", access_key="KEY", secret_key="secret")
    shelf = S3Shelf(connector.s3, MemoryFacts(), login)
    deliver(connector, invoice())
    (stored,) = (shelf.listed(sandbox.held()[0].rpartition("/")[0]) or {}).values()
    assert stored.link is not None
    assert stored.link.startswith("https://eu-central-1.console.aws.amazon.com/s3/object/belege?region=eu-central-1&")
    assert deliver(connector, invoice()).link is None


# --- equal bytes


def test_two_documents_with_equal_bytes_and_name_have_a_file_each(sandbox: S3Bench, connector: S3Bucket) -> None:
    first, second = (invoice(number="R-1", party=None) for _ in range(2))
    receipts = [deliver(connector, one) for one in (first, second)]
    assert [deliver(worker(connector), one).remote_id for one in (first, second)] == [one.remote_id for one in receipts]
    moved = deliver(connector, revised(first, account="Tagesgeld"), receipts[0])
    assert connector.inspect([moved, receipts[1]]) == []
    back = deliver(connector, revised(revised(first)), moved)
    assert sorted(sandbox.held()) == sorted([back.remote_id, receipts[1].remote_id])
    stranger = worker(connector, MemoryFacts())  # a new instance adopts both, in whichever order
    adopted = {deliver(stranger, one).remote_id for one in (second, first)}
    assert adopted == {back.remote_id, receipts[1].remote_id}


@pytest.mark.parametrize("conditions", ["ignored", "refused"])
def test_without_conditions_two_workers_never_write_over_each_others_document(
    sandbox: S3Bench, connector: S3Bucket, conditions: str
) -> None:
    sandbox.control("settings", provider="s3", conditions=conditions)
    deliver(connector, invoice())
    first, second = (invoice(content, number="R-1", party=None) for content in (b"first", b"second"))
    receipts: list[Receipt] = []

    def meanwhile(request: httpx.Request) -> None:
        """The other worker comes between the look and the PUT."""
        if request.method == "PUT" and not receipts:
            receipts.append(deliver(worker(connector), second))

    with httpx.Client(event_hooks={"request": [meanwhile]}) as http:
        receipts.append(deliver(worker(connector, http=http), first))
    assert [sandbox.content(receipt.remote_id) for receipt in receipts] == [b"second", b"first"]
