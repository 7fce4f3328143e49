"""Sending one e-mail, in real dialogues over loopback, and the settings it needs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from portal import config, mail
from portal.config import Incomplete, MailServer, Security, Settings
from portal.doctor import examine
from portal.mail import Letter, NotSent
from tests.portal import post_office
from tests.portal.post_office import PASSWORD, USER, Office

LETTER = Letter(
    id="notice-1", to="anna@kanzlei.example", to_name="Anna Sommer", subject="Bäckerei Brandt GmbH",
    text="Grüße,\n.\nKontor\n",
)  # fmt: skip


def settings_of(tmp_path: Path, **more: str) -> Settings:
    return config.read({"KONTOR_DATA": str(tmp_path), **more})


def server_of(tmp_path: Path, url: str, sender: str = "kontor@kanzlei.example") -> MailServer:
    found = settings_of(tmp_path, KONTOR_MAIL_URL=url, KONTOR_MAIL_FROM=sender).mail
    assert found is not None
    return found


def test_a_letter_arrives_as_it_was_written() -> None:
    with post_office.running(Office()) as office:
        mail.send(office.server, LETTER)
    (arrived,) = office.messages
    assert office.recipients == ["anna@kanzlei.example"]
    assert arrived["From"] == "Kontor <kontor@kanzlei.example>"
    assert arrived["To"] == "Anna Sommer <anna@kanzlei.example>"
    assert (arrived["Subject"], arrived["Message-ID"]) == ("Bäckerei Brandt GmbH", "<notice-1@kanzlei.example>")
    assert arrived["Auto-Submitted"] == "auto-generated"
    assert arrived.get_content().replace("\r\n", "\n") == LETTER.text


@pytest.mark.parametrize("ending", ["\r\n", "\n", "\r", "\x0b", "\x0c", "\x85", "\u2028", "\x00", "\r\n\r\n"])
def test_names_and_subjects_cannot_begin_another_header(ending: str) -> None:
    evil = f"Brandt{ending}Bcc: eve@example.com"
    with post_office.running(Office()) as office:
        mail.send(office.server, replace(LETTER, subject=evil, to_name=evil))
    (arrived,) = office.messages
    assert arrived["Bcc"] is None
    assert office.recipients == ["anna@kanzlei.example"]
    assert arrived["Subject"].replace(" ", "") == "BrandtBcc:eve@example.com"


@pytest.mark.parametrize(
    "address", ["", "nobody", "a@b\r\nBcc: eve@example.com", "a@b, eve@example.com", "jörg@ex.com"]
)
def test_an_address_that_is_none_is_given_up(address: str) -> None:
    with post_office.running(Office()) as office, pytest.raises(NotSent) as caught:
        mail.send(office.server, replace(LETTER, to=address))
    assert caught.value.final
    assert office.recipients == []


def test_without_encryption_nothing_is_said_to_another_machine() -> None:
    offers_none = post_office.running(Office(), login=True, security=Security.STARTTLS)
    with offers_none as office, pytest.raises(NotSent, match="STARTTLS"):
        mail.send(office.server, LETTER)
    assert (office.messages, office.logins) == ([], [])


def test_a_certificate_that_nobody_vouches_for_is_refused(tmp_path: Path) -> None:
    _public, context = post_office.certificate(tmp_path)
    unknown = post_office.running(Office(), tls=context, login=True, security=Security.STARTTLS)
    with unknown as office, pytest.raises(NotSent, match="certificate"):
        mail.send(office.server, LETTER)
    assert (office.messages, office.logins) == ([], [])


def test_encrypted_and_signed_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    public, context = post_office.certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(public))
    with post_office.running(Office(), tls=context, login=True, security=Security.STARTTLS) as office:
        mail.prove(office.server)
        assert office.messages == []
        mail.send(office.server, LETTER)
    assert len(office.messages) == 1
    assert office.logins == [(USER, PASSWORD)] * 2


def test_refusals_are_told_apart() -> None:
    with post_office.running(Office(), login=True) as office:
        with pytest.raises(NotSent, match="login") as caught:
            mail.send(replace(office.server, password="wrong"), LETTER)
        assert not caught.value.final
        office.refusal = "450 4.2.1 s3cret words of the server"
        with pytest.raises(NotSent, match="450") as caught:
            mail.send(office.server, LETTER)
        assert not caught.value.final
        office.refusal = "550 5.1.1 s3cret words of the server"
        with pytest.raises(NotSent, match="550") as caught:
            mail.send(office.server, LETTER)
        assert caught.value.final
        assert "s3cret" not in str(caught.value)
    with pytest.raises(NotSent, match="not answer") as caught:
        mail.send(office.server, LETTER)
    assert not caught.value.final


@pytest.mark.parametrize(
    ("url", "host", "port", "security"),
    [
        ("smtp://u:p%40ss@mail.example", "mail.example", 587, Security.STARTTLS),
        ("smtp://u:p%40ss@mail.example:2587/", "mail.example", 2587, Security.STARTTLS),
        ("smtps://u:p%40ss@mail.example", "mail.example", 465, Security.TLS),
        ("smtp://u:p%40ss@127.0.0.1:2525", "127.0.0.1", 2525, Security.NONE),
        ("smtp://u:p%40ss@[::1]:2525", "::1", 2525, Security.NONE),
        ("smtp://u:p%40ss@localhost", "localhost", 587, Security.NONE),
        ("smtp://u:p%40ss@127.0.0.1.mail.example", "127.0.0.1.mail.example", 587, Security.STARTTLS),
    ],
)
def test_the_server_of_an_address(tmp_path: Path, url: str, host: str, port: int, security: Security) -> None:
    found = server_of(tmp_path, url, "Kontor Sommer <kontor@kanzlei.example>")
    assert (found.host, found.port, found.security) == (host, port, security)
    assert (found.user, found.password) == ("u", "p@ss")
    assert (found.sender, found.sender_name) == ("kontor@kanzlei.example", "Kontor Sommer")


@pytest.mark.parametrize(
    "url",
    [
        "mail.example", "http://u:hidden@mail.example", "smtp://u:hidden@", "smtp://u:hidden@mail.example:many",
        "smtp://u:hid/den@mail.example", "smtp://u:12#hidden@mail.example", "smtp://u:12?hidden@mail.example",
        "smtp://hidden@mail.example", "smtp://u:hidden@mail.example/x", "smtp://u:hidden@[mail", "",
    ],
)  # fmt: skip
def test_a_wrong_address_is_refused_at_the_start_without_its_password(tmp_path: Path, url: str) -> None:
    with pytest.raises(Incomplete, match="KONTOR_MAIL_URL must be") as caught:
        server_of(tmp_path, url)
    assert "hid" not in str(caught.value)


@pytest.mark.parametrize("sender", ["", "Kontor", "a@b\r\nBcc: eve@example.com", "a@b c"])
def test_a_wrong_sender_is_refused_at_the_start(tmp_path: Path, sender: str) -> None:
    with pytest.raises(Incomplete, match="KONTOR_MAIL_FROM"):
        server_of(tmp_path, "smtp://mail.example", sender)


def test_the_password_is_in_no_representation(tmp_path: Path) -> None:
    settings = settings_of(
        tmp_path, KONTOR_MAIL_URL="smtp://u:hidden@mail.example", KONTOR_MAIL_FROM="kontor@kanzlei.example"
    )
    assert "hidden" not in repr(settings)


@pytest.mark.parametrize("url", ["kontor.example", "ftp://kontor.example", "https://kontor.example/?a", "https://a b"])
def test_a_wrong_address_of_the_pages_is_refused(tmp_path: Path, url: str) -> None:
    with pytest.raises(Incomplete, match="KONTOR_URL"):
        settings_of(tmp_path, KONTOR_URL=url)


def test_an_address_of_the_pages_ends_without_a_slash(tmp_path: Path) -> None:
    assert settings_of(tmp_path, KONTOR_URL="https://kontor.example/").url == "https://kontor.example"
    assert settings_of(tmp_path).url is None


def test_the_doctor_proves_the_connection_and_sends_nothing(settings: Settings) -> None:
    def finding(mended: Settings) -> tuple[str, str]:
        (found,) = (one for one in examine(mended) if one.subject == "e-mail")
        return found.found, found.advice

    assert "KONTOR_MAIL_URL is not set" in finding(settings)[0]
    assert finding(settings)[1] == ""
    with post_office.running(Office(), login=True) as office:
        there = replace(settings, mail=office.server)
        assert (office.server.sender in finding(there)[0], finding(there)[1]) == (True, "")
        locked_out = replace(settings, mail=replace(office.server, password="wrong"))
        assert "does not accept" in finding(locked_out)[0]
        assert "KONTOR_MAIL_URL" in finding(locked_out)[1]
    assert "does not answer" in finding(replace(settings, mail=replace(office.server, port=post_office.free_port())))[0]
    assert office.messages == []
