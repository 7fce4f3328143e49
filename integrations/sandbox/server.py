"""The HTTP/1.1 server of the sandbox: threads, keep-alive, loopback, and connections that can be made to break.

The standard servers either close after every answer or never let an application close without one; a simulator of
bad days needs both kept open and dropped, so the forty lines of WSGI are here.
"""

from __future__ import annotations

import io
import os
import socket
import struct
import sys
import threading
import traceback
from collections.abc import Iterable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication, WSGIEnvironment

_NO_BODY = {"204", "304"}
_LARGEST = 600 * 1024 * 1024


class ConnectionDropped(Exception):
    """Raised by the application to close the connection without an answer; ``reset``: by a TCP reset."""

    def __init__(self, *, reset: bool) -> None:
        super().__init__("reset" if reset else "dropped")
        self.reset = reset


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    timeout = 120
    server: _Listener

    def handle_one_request(self) -> None:
        self.raw_requestline = self.rfile.readline(65537)
        if not self.raw_requestline:
            self.close_connection = True
            return
        if len(self.raw_requestline) > 65536:
            self.send_error(414)
            return
        if self.parse_request():
            self._respond()
            self.wfile.flush()

    def handle(self) -> None:
        try:
            super().handle()
        except (ConnectionError, TimeoutError):
            self.close_connection = True  # the client left; nothing to tell anybody

    def _respond(self) -> None:
        answer: list[Any] = []

        def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:  # noqa: ARG001 - WSGI
            answer[:] = [status, headers]

        try:
            parts = self.server.app(self._environ(), start_response)
            content = _joined(parts)
        except ConnectionDropped as drop:
            self._drop(reset=drop.reset)
            return
        except Exception:  # noqa: BLE001 - the application's mistake is an answer too, with its trace where it is seen
            traceback.print_exc()
            content = b"The sandbox made a mistake; its trace is on standard error."
            answer[:] = ["500 INTERNAL SERVER ERROR", [("Content-Type", "text/plain")]]
        self._answer(answer[0], answer[1], content)

    def _answer(self, status: str, headers: list[tuple[str, str]], content: bytes) -> None:
        code, _, reason = status.partition(" ")
        self.send_response_only(int(code), reason)
        self.send_header("Date", self.date_time_string())
        length = str(len(content))
        for name, value in headers:
            if name.lower() not in {"content-length", "connection", "date"}:
                self.send_header(name, value)
            elif name.lower() == "content-length" and self.command == "HEAD":
                length = value  # that of the body it would have (RFC 9110 section 9.3.2)
        if code not in _NO_BODY:
            self.send_header("Content-Length", length)
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD" and code not in _NO_BODY:
            self.wfile.write(content)

    def _drop(self, *, reset: bool) -> None:
        if reset:  # no lingering: the kernel answers what is unsent with RST instead of FIN
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.server.forget(self.connection)
            os.close(self.connection.detach())  # at once: an orderly end would say FIN before it
        else:
            self.connection.shutdown(socket.SHUT_RDWR)
        self.close_connection = True

    def _environ(self) -> WSGIEnvironment:
        path, _, query = self.path.partition("?")
        body = self._body()
        environ: WSGIEnvironment = {
            "REQUEST_METHOD": self.command,
            "SCRIPT_NAME": "",
            "PATH_INFO": unquote(path, "latin-1"),
            "QUERY_STRING": query,
            "RAW_URI": self.path,
            "SERVER_NAME": self.server.server_address[0],
            "SERVER_PORT": str(self.server.server_address[1]),
            "SERVER_PROTOCOL": self.request_version,
            "REMOTE_ADDR": self.client_address[0],
            "CONTENT_LENGTH": str(len(body)),
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(body),
            "wsgi.errors": sys.stderr,
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
        }
        for name, value in self.headers.items():
            key = name.upper().replace("-", "_")
            if key == "CONTENT_TYPE":
                environ[key] = value
            elif key not in {"CONTENT_LENGTH", "TRANSFER_ENCODING"}:
                key = f"HTTP_{key}"
                environ[key] = f"{environ[key]},{value}" if key in environ else value
        return environ

    def _body(self) -> bytes:
        """The whole body, so that the next request on this connection starts where it should."""
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            return b"".join(self._chunks())
        length = int(self.headers.get("Content-Length") or 0)
        if length > _LARGEST:
            raise ConnectionDropped(reset=True)
        return self.rfile.read(length)

    def _chunks(self) -> Iterable[bytes]:
        while size := int(self.rfile.readline().split(b";")[0].strip() or b"0", 16):
            yield self.rfile.read(size)
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass  # trailers

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Say nothing: the calls are listed under /_control/log."""


class _Listener(ThreadingHTTPServer):
    request_queue_size = 128

    def __init__(self, host: str, port: int, app: WSGIApplication) -> None:
        self.app = app
        self._open: set[socket.socket] = set()
        self._serving: set[threading.Thread] = set()
        self._guard = threading.Lock()
        super().__init__((host, port), _Handler)

    def server_bind(self) -> None:
        """Bind without the reverse look-up of the standard class, which can take seconds."""
        socket_address = self.server_address
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(socket_address)
        self.server_address = self.socket.getsockname()

    def process_request(self, request: Any, client_address: Any) -> None:
        """Serve in a thread; remember it and the connection, so that stopping can end the idle ones."""
        thread = threading.Thread(target=self.process_request_thread, args=(request, client_address), daemon=True)
        with self._guard:
            self._open.add(request)
            self._serving = {other for other in self._serving if other.is_alive()} | {thread}
            thread.start()

    def shutdown_request(self, request: Any) -> None:
        """Forget the connection."""
        self.forget(request)
        super().shutdown_request(request)

    def forget(self, request: socket.socket) -> None:
        """This connection is closed by somebody else."""
        with self._guard:
            self._open.discard(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away is no error worth a trace; anything else is."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)

    def hang_up(self, patience: float = 3.0) -> None:
        """End every open connection; calls under way get ``patience`` seconds each."""
        with self._guard:
            for connection in self._open:
                with suppress(OSError):  # it is gone already
                    connection.shutdown(socket.SHUT_RDWR)
            serving = list(self._serving)
        for thread in serving:
            thread.join(patience)


class Server:
    """A running server; as a context manager it serves from a thread and is stopped for good at the end."""

    def __init__(self, app: WSGIApplication, port: int = 0, host: str = "127.0.0.1") -> None:
        self._listener = _Listener(host, port, app)
        self._thread: threading.Thread | None = None
        self.port = int(self._listener.server_address[1])
        self.url = f"http://{host}:{self.port}"

    def start(self) -> Server:
        """Serve from a thread."""
        self._thread = threading.Thread(target=self._listener.serve_forever, args=(0.01,), name="sandbox", daemon=True)
        self._thread.start()
        return self

    def stop(self) -> None:
        """Take no more, end what is open, and wait for the threads."""
        self._listener.shutdown()
        self._listener.hang_up()
        self._listener.server_close()
        if self._thread:
            self._thread.join()

    def __enter__(self) -> Server:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def _joined(parts: Iterable[bytes]) -> bytes:
    try:
        return b"".join(parts)
    finally:
        close = getattr(parts, "close", None)
        if close:
            close()
