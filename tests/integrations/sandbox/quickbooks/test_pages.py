from __future__ import annotations

from tests.integrations.sandbox.serving import Books


def page(books: Books, path: str) -> str:
    answer = books.sandbox.http.get(f"{books.sandbox.url}{path}", follow_redirects=True)
    assert answer.status_code == 200, path
    return answer.text


def test_what_arrived_can_be_seen_and_its_file_opened(books: Books) -> None:
    bill = books.bill(books.vendor("Bäcker <b>")["Id"], DocNumber="R-1")
    link = [{"EntityRef": {"type": "Bill", "value": bill["Id"]}}]
    attachment = books.upload(b"%PDF-1.4", "Rechnung Müller.pdf", AttachableRef=link)["Attachable"]
    company = f"/quickbooks/companies/{books.realm}"
    shown = page(books, company)
    for words in ("R-1", "Bäcker &lt;b&gt;", "119.00 EUR", "Rechnung Müller.pdf"):
        assert words in shown
    file = books.sandbox.http.get(f"{books.sandbox.url}{company}/files/{attachment['Id']}")
    assert (file.content, file.headers["content-type"]) == (b"%PDF-1.4", "application/pdf")
    assert "Bürobedarf" in page(books, f"{company}/Bill/{bill['Id']}")
    assert "R-1" in page(books, f"/quickbooks/app/bill?txnId={bill['Id']}")


def test_every_kind_of_object_has_a_page(books: Books) -> None:
    customer = books.customer()["Id"]
    books.invoice(customer)
    for entity in ("Invoice", "Customer", "Item", "Account", "Term"):
        thing = books.first(entity)
        assert entity in page(books, f"/quickbooks/companies/{books.realm}/{entity}/{thing['Id']}")


def test_the_first_page_lists_all_and_what_is_not_there_is_not_found(books: Books) -> None:
    assert "Lindenhof Handels GmbH" in page(books, "/quickbooks/")
    answer = books.sandbox.http.get(f"{books.sandbox.url}/", headers={"accept": "text/html"})
    assert "QuickBooks Online" in answer.text
    for path in ("companies/1", f"companies/{books.realm}/Bill/9", "app/bill?txnId=9", "nowhere"):
        assert books.sandbox.http.get(f"{books.sandbox.url}/quickbooks/{path}").status_code == 404
