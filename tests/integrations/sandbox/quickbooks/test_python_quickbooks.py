"""python-quickbooks and intuit-oauth, as they are published, against the simulator."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from intuitlib.client import AuthClient
from intuitlib.enums import Scopes
from intuitlib.exceptions import AuthClientError
from quickbooks import QuickBooks, exceptions
from quickbooks.batch import batch_create, batch_delete
from quickbooks.cdc import change_data_capture
from quickbooks.objects import Account, Attachable, Bill, Customer, Invoice, Item, Preferences, Ref, TaxCode, Vendor
from quickbooks.objects.base import AttachableRef, EmailAddress
from quickbooks.objects.company_info import CompanyInfo
from quickbooks.objects.detailline import (
    AccountBasedExpenseLine,
    AccountBasedExpenseLineDetail,
    SalesItemLine,
    SalesItemLineDetail,
)

from tests.integrations.sandbox.serving import GERMAN, Running

BACK = "http://127.0.0.1:9999/back"


@pytest.fixture
def signed_in(sandbox: Running, monkeypatch: pytest.MonkeyPatch) -> Iterator[AuthClient]:
    """intuit-oauth after a consent on the sandbox's page."""
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")
    where = f"{sandbox.url}/quickbooks/.well-known/openid_configuration/"
    auth = AuthClient("kontor-demo", "kontor-demo-secret", BACK, environment=where)
    address = auth.get_authorization_url([Scopes.ACCOUNTING, Scopes.OPENID])
    query = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
    form = {**query, "account": GERMAN, "decision": "allow"}
    back = sandbox.http.post(address.partition("?")[0], data=form).headers["location"]
    answer = {name: values[0] for name, values in parse_qs(urlsplit(back).query).items()}
    assert answer["state"] == auth.state_token
    auth.get_bearer_token(answer["code"], realm_id=answer["realmId"])
    yield auth
    auth.close()


@pytest.fixture
def library(sandbox: Running, signed_in: AuthClient, monkeypatch: pytest.MonkeyPatch) -> Iterator[QuickBooks]:
    """python-quickbooks pointed at the simulator."""
    base = f"{sandbox.url}/quickbooks/v3"
    monkeypatch.setattr(QuickBooks, "api_url_v3", base)
    monkeypatch.setattr(QuickBooks, "sandbox_api_url_v3", base)
    made = QuickBooks(auth_client=signed_in, company_id=signed_in.realm_id, minorversion=75)
    yield made
    made.session.close()


def reference(thing: Any) -> Ref:
    made = Ref()
    made.value, made.name = thing.Id, getattr(thing, "Name", None) or getattr(thing, "DisplayName", "")
    return made


def vendor(library: QuickBooks, name: str = "Meyer GmbH") -> Vendor:
    made = Vendor()
    made.DisplayName = name
    return made.save(qb=library)


def bill(library: QuickBooks, seller: Vendor, number: str = "R-1") -> Bill:
    line = AccountBasedExpenseLine()
    line.Amount = Decimal("100.10")
    line.AccountBasedExpenseLineDetail = AccountBasedExpenseLineDetail()
    line.AccountBasedExpenseLineDetail.AccountRef = reference(Account.filter(AccountType="Expense", qb=library)[0])
    line.AccountBasedExpenseLineDetail.TaxCodeRef = reference(TaxCode.all(qb=library)[0])
    made = Bill()
    made.VendorRef = reference(seller)
    made.DocNumber = number
    made.Line.append(line)
    return made


def test_it_reads_the_companys_lists(library: QuickBooks) -> None:
    assert CompanyInfo.get(GERMAN, qb=library).CompanyName == "Lindenhof Handels GmbH"
    assert Preferences.get(qb=library).SalesFormsPrefs.CustomTxnNumbers is True
    assert len(Account.all(qb=library)) == Account.count(qb=library) == 17
    assert [item.Name for item in Item.all(qb=library, order_by="Name")] == ["Dienstleistung", "Stunden"]


def test_it_creates_reads_changes_and_deletes(library: QuickBooks) -> None:
    seller = vendor(library)
    made = bill(library, seller).save(qb=library, request_id="r1")
    assert float(made.TotalAmt) == 119.12
    again = Bill.get(made.Id, qb=library)
    again.PrivateNote = "changed"
    changed = again.save(qb=library)
    assert (changed.PrivateNote, changed.SyncToken) == ("changed", "1")
    changed.delete(qb=library)
    with pytest.raises(exceptions.ObjectNotFoundException):
        Bill.get(made.Id, qb=library)


def test_its_request_id_has_one_effect(library: QuickBooks) -> None:
    wanted = bill(library, vendor(library))
    first, second = (wanted.save(qb=library, request_id="same").Id, bill_again(library, wanted))
    assert first == second
    assert Bill.count(qb=library) == 1


def bill_again(library: QuickBooks, wanted: Bill) -> str:
    wanted.Id = None
    return str(wanted.save(qb=library, request_id="same").Id)


def test_it_queries(library: QuickBooks) -> None:
    for name in ("Bäcker O'Neil", "Eis GmbH", "Dach AG"):
        vendor(library, name)
    assert [one.DisplayName for one in Vendor.filter(DisplayName="Bäcker O'Neil", qb=library)] == ["Bäcker O'Neil"]
    assert Vendor.count("DisplayName LIKE '%G%'", qb=library) == 2
    page = Vendor.where("Active = true", order_by="DisplayName DESC", start_position=2, max_results=1, qb=library)
    assert [one.DisplayName for one in page] == ["Dach AG"]
    chosen = Vendor.choose(["Eis GmbH", "Dach AG"], field="DisplayName", qb=library)
    assert {one.DisplayName for one in chosen} == {"Eis GmbH", "Dach AG"}


def test_it_attaches_a_file_from_memory_and_from_disk(library: QuickBooks, sandbox: Running, tmp_path: Path) -> None:
    made = bill(library, vendor(library)).save(qb=library)
    content = b"%PDF-1.4\r\n\x00\xff end"
    (tmp_path / "a.pdf").write_bytes(content)
    for source in ({"_FileBytes": content}, {"_FilePath": str(tmp_path / "a.pdf")}):
        attachment = Attachable()
        attachment.FileName, attachment.ContentType = "a.pdf", "application/pdf"
        link = AttachableRef()
        link.EntityRef = Ref()
        link.EntityRef.type, link.EntityRef.value = "Bill", made.Id
        attachment.AttachableRef.append(link)
        for name, value in source.items():
            setattr(attachment, name, value)
        kept = Attachable.get(attachment.save(qb=library).Id, qb=library)
        assert (kept.FileName, kept.Size) == ("a.pdf", len(content))
        assert sandbox.http.get(kept.TempDownloadUri).content == content


def test_it_invoices_sends_prints_and_voids(library: QuickBooks) -> None:
    buyer = Customer()
    buyer.DisplayName = "Kunde AG"
    buyer.PrimaryEmailAddr = EmailAddress()
    buyer.PrimaryEmailAddr.Address = "kunde@example.com"
    line = SalesItemLine()
    line.Amount, line.SalesItemLineDetail = 200, SalesItemLineDetail()
    line.SalesItemLineDetail.ItemRef = reference(Item.all(qb=library)[0])
    line.SalesItemLineDetail.TaxCodeRef = reference(TaxCode.all(qb=library)[0])
    line.SalesItemLineDetail.Qty, line.SalesItemLineDetail.UnitPrice = 2, 100
    wanted = Invoice()
    wanted.CustomerRef = reference(buyer.save(qb=library))
    wanted.Line.append(line)
    made = wanted.save(qb=library)
    assert float(made.TotalAmt) == 238
    made.send(qb=library, send_to="kunde@example.com")
    sent = Invoice.get(made.Id, qb=library)
    assert sent.email_sent
    assert sent.download_pdf(qb=library).startswith(b"%PDF")
    sent.void(qb=library)
    assert float(Invoice.get(made.Id, qb=library).TotalAmt) == 0


def test_it_batches_and_captures_changes(library: QuickBooks) -> None:
    people = []
    for name in ("A", "B", "a"):
        person = Customer()
        person.DisplayName = name
        people.append(person)
    answer = batch_create(people, qb=library)
    assert [one.DisplayName for one in answer.successes] == ["A", "B"]
    assert answer.faults[0].Error[0].code == "6240"
    seller = vendor(library)
    bills = batch_create([bill(library, seller, number) for number in ("1", "2")], qb=library).successes
    batch_delete(bills[:1], qb=library)
    changes = change_data_capture([Customer, Bill], datetime.now(UTC) - timedelta(minutes=5), qb=library)
    assert len(changes.Customer) == 2
    assert {one.Id: getattr(one, "status", "") for one in changes.Bill} == {bills[0].Id: "Deleted", bills[1].Id: ""}


def test_its_exceptions_are_those_of_the_published_codes(library: QuickBooks, sandbox: Running) -> None:
    vendor(library)
    with pytest.raises(exceptions.QuickbooksException) as clash:
        vendor(library)
    assert clash.value.error_code == 6240
    sandbox.faults("throttle", "expired")
    with pytest.raises(exceptions.ValidationException) as throttled:
        Vendor.all(qb=library)
    assert throttled.value.error_code == 3001
    with pytest.raises(exceptions.AuthorizationException):
        Vendor.all(qb=library)


def test_intuit_oauth_refreshes_with_rotation_asks_who_it_is_and_revokes(signed_in: AuthClient) -> None:
    first = signed_in.refresh_token
    signed_in.refresh()
    assert signed_in.refresh_token != first
    with pytest.raises(AuthClientError):
        signed_in.refresh(refresh_token=first)
    assert signed_in.get_user_info().json()["email"]
    assert signed_in.revoke(token=signed_in.refresh_token)
    with pytest.raises(AuthClientError):
        signed_in.refresh()
