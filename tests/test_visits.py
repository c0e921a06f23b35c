"""Asking our own public pages: inside the process, and over a real socket, whatever answers there."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from socket import socket

import pytest

from incident.visits import _outside, visits
from tests.journeys.installation import free_port


class Elsewhere(BaseHTTPRequestHandler):
    """Answers each path in its own way, and remembers who asked."""

    asked: list[str] = []

    def do_GET(self) -> None:
        self.asked.append(self.headers["User-Agent"])
        if self.path == "/moved":
            self.send_response(302)
            self.send_header("Location", "/page")
            self.end_headers()
            return
        self.send_response(410 if self.path == "/gone" else 200)
        self.end_headers()
        self.wfile.write(b"<article>here</article>")

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def serving() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), Elsewhere)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/page", (200, b"<article>here</article>")),
        ("/gone", (410, b"<article>here</article>")),
        ("/moved", (302, b"")),
    ],
    ids=["it stands", "it ended", "a redirect is not followed"],
)
def test_what_answers_at_the_public_address_is_taken_as_it_is(path, expected):
    with serving() as site:
        assert _outside(site, path) == expected
    assert Elsewhere.asked[-1] == "Tocsin posting check"


def test_nobody_there_is_no_answer_and_no_crash():
    assert _outside(f"http://127.0.0.1:{free_port()}", "/page") == (0, b"")


def test_a_line_that_breaks_off_is_no_answer():
    with socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()

        def hang_up() -> None:
            connection, _ = listening.accept()
            connection.recv(100)
            connection.close()

        thread = threading.Thread(target=hang_up, daemon=True)
        thread.start()
        assert _outside(f"http://127.0.0.1:{listening.getsockname()[1]}", "/page") == (0, b"")
        thread.join()


def test_inside_it_is_asked_as_a_stranger_through_the_whole_application(app):
    status, body = visits().inside("/notices/")
    assert status == 200
    assert b"There is no public notice at present." in body
    assert visits().inside("/incidents/")[0] == 302  # a stranger is sent to sign in
