"""Where one request ends and the next begins, over a real socket: nobody slips a second request into the first."""

import re
import socket
import threading

import pytest
from waitress.server import create_server

HOST = b"Host: localhost\r\n"


@pytest.fixture
def port(app):
    server = create_server(app, host="127.0.0.1", port=0, threads=2, ident=None, clear_untrusted_proxy_headers=True)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    yield server.effective_port
    server.close()
    thread.join(5)
    server.task_dispatcher.shutdown()


def answered(port: int, raw: bytes) -> bytes:
    """All that the server says to these bytes until it closes."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as line:
        line.sendall(raw)
        line.shutdown(socket.SHUT_WR)
        heard = b""
        while piece := line.recv(65_536):
            heard += piece
        return heard


def statuses(heard: bytes) -> list[int]:
    return [int(number) for number in re.findall(rb"HTTP/1\.[01] (\d{3})", heard)]


HIDDEN = b"GET /health HTTP/1.1\r\n" + HOST + b"X: y\r\n\r\n"


@pytest.mark.parametrize(
    "headers",
    [
        b"Content-Length: 5\r\nContent-Length: 0\r\n",
        b"Content-Length: 5, 0\r\n",
        b"Content-Length: +5\r\n",
        b"Content-Length: 0x5\r\n",
        b"Content-Length : 5\r\n",
        b"Transfer-Encoding: xchunked\r\n",
        b"Transfer-Encoding: chunked, identity\r\n",
        b"Transfer-Encoding: \x0bchunked\r\n",
        b"X: a\rTransfer-Encoding: chunked\r\n",
    ],
    ids=repr,
)
def test_what_can_be_read_in_two_ways_is_refused_whole(port, headers):
    heard = answered(port, b"POST /sign-in HTTP/1.1\r\n" + HOST + headers + b"\r\n" + b"0\r\n\r\n" + HIDDEN)
    assert statuses(heard) in ([400], [501]), heard[:300]


def test_where_both_are_given_the_length_is_passed_over(port):
    body = b"0\r\n\r\n"
    heard = answered(
        port,
        b"POST /sign-in HTTP/1.1\r\n"
        + HOST
        + b"Content-Length: 50\r\nTransfer-Encoding: chunked\r\n\r\n"
        + body
        + HIDDEN,
    )
    assert statuses(heard) in ([400], [200, 200], [200], [422, 200]), heard[:300]


@pytest.mark.parametrize("address", [b"/sign-in", b"/health", b"/nothing-here", b"/static/live.js", b"/incidents/"])
def test_an_answer_is_as_long_as_it_says(port, address):
    heard = answered(port, b"GET " + address + b" HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n")
    head, _, body = heard.partition(b"\r\n\r\n")
    [length] = re.findall(rb"(?im)^content-length: (\d+)", head)
    assert int(length) == len(body)
    assert b"transfer-encoding" not in head.lower()
    assert not re.search(rb"(?im)^server:", head)
