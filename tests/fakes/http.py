"""A small HTTP server on loopback that can break off, and a client that posts reports back."""

import socket
import struct
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.error import HTTPError
from urllib.request import Request, urlopen


class Server(ThreadingHTTPServer):
    """Runs in its own threads while the `with` block lasts."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, handler: type["Handler"], port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), handler)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self.lock = threading.Lock()
        self.answer_seconds = 0.0
        self.drip_seconds = 40.0
        self.asked = 0

    def __enter__(self) -> Self:
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A caller that went away is no news."""


class Handler(BaseHTTPRequestHandler):
    """Reads whole bodies, keeps connections, and can cut them."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Any

    def body(self) -> bytes:
        """The request's body."""
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def answer(self, status: int, body: bytes = b"", **headers: str) -> None:
        """Send this answer after the server's answer time."""
        if self.server.answer_seconds:
            time.sleep(self.server.answer_seconds)
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def drip(self, status: int) -> None:
        """Answer so slowly that whoever waits for the whole of it gives up."""
        self.wfile.write(f"HTTP/1.1 {status} Well\r\nX-Slow: ".encode())
        for _ in range(100):
            time.sleep(self.server.drip_seconds / 100)
            self.wfile.write(b"x")
            self.wfile.flush()
        self.close_connection = True

    def cut(self) -> None:
        """Break the connection without a word (a reset, as a dying machine sends it)."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
        self.close_connection = True

    def finish(self) -> None:
        """A cut connection has nothing left to flush."""
        try:
            super().finish()
        except (OSError, ValueError):
            self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""


def post(url: str, body: bytes, headers: dict[str, str]) -> int:
    """The status that our side answers to a report."""
    try:
        with urlopen(Request(url, body, headers, method="POST"), timeout=30) as answer:
            return int(answer.status)
    except HTTPError as refusal:
        return refusal.code
