"""What the web server adds to the application."""

from __future__ import annotations

from collections.abc import Iterable
from io import BytesIO

import pytest
from werkzeug.test import EnvironBuilder, run_wsgi_app

from portal.serving import READ_OUT, ReadOut


def _refuses(_environ: object, start_response: object) -> Iterable[bytes]:
    start_response("401 UNAUTHORIZED", [])  # type: ignore[operator]
    return [b"no"]


def test_a_refused_upload_is_read_to_its_end_so_that_the_connection_can_be_kept() -> None:
    body = BytesIO(b"x" * 300_000)
    answer, status, _headers = run_wsgi_app(ReadOut(_refuses), EnvironBuilder(input_stream=body).get_environ())
    assert (b"".join(answer), status) == (b"no", "401 UNAUTHORIZED")
    assert body.read() == b""


def test_what_is_larger_than_any_document_is_not_read_out() -> None:
    body = BytesIO(b"x" * (READ_OUT + 100_000))
    run_wsgi_app(ReadOut(_refuses), EnvironBuilder(input_stream=body).get_environ())
    assert body.tell() == READ_OUT


def test_a_sender_who_goes_away_ends_the_answer_too() -> None:
    ended = []

    class Gone(BytesIO):
        def read(self, _size: int | None = -1, /) -> bytes:
            raise ConnectionResetError

    class Answer(list[bytes]):
        def close(self) -> None:
            ended.append(True)

    app = ReadOut(lambda _environ, _start: Answer([b"no"]))
    with pytest.raises(ConnectionResetError):
        app(EnvironBuilder(input_stream=Gone()).get_environ(), lambda *_: lambda _: None)
    assert ended == [True]
