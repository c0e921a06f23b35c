"""A server that drips its answer holds nobody longer than the time limit; a quick one is read as ever, kept connections too."""

import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import requests

from notifiers import wire

SLOW, WHOLE = 30.0, b'{"all": "of it"}' * 200


class Dripping(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if self.path == "/quick":
            self.send_response(200)
            self.send_header("Content-Length", str(len(WHOLE)))
            self.end_headers()
            self.wfile.write(WHOLE)
        elif self.path == "/head":
            self._drip(b"HTTP/1.1 201 Created\r\nX-Slow: " + b"x" * 300)
        elif self.path == "/body":
            self._drip(b"HTTP/1.1 200 OK\r\nContent-Length: 300\r\n\r\n", b"y" * 300)
        elif self.path == "/chunks":
            self.send_response(200)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            self.wfile.write(b"%x\r\n%b\r\n0\r\n\r\n" % (len(WHOLE), WHOLE))

    def _drip(self, *parts: bytes) -> None:
        at_once = parts[0] if len(parts) > 1 else b""
        self.wfile.write(at_once)
        try:
            for letter in parts[-1]:
                self.wfile.write(bytes([letter]))
                time.sleep(SLOW / 300)
        except OSError:
            self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Quiet."""


@pytest.fixture(scope="module")
def url():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Dripping)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def asked(through, url, path, seconds=0.5):
    return wire.exchange(through, requests.Request("GET", url + path).prepare(), seconds)


@pytest.mark.parametrize("path", ["/head", "/body"])
def test_an_answer_that_drips_is_given_up_when_its_time_is_over(url, path):
    began = time.monotonic()
    with pytest.raises(wire.Unanswered):
        asked(wire.session(1), url, path)
    assert time.monotonic() - began < 3


@pytest.mark.parametrize("path", ["/quick", "/chunks"])
def test_a_whole_answer_is_read_as_ever_over_one_kept_connection(url, path):
    through = wire.session(1)
    for _ in range(5):
        status, _, body = asked(through, url, path, seconds=5)
        assert (status, body) == (200, WHOLE)


def test_after_one_that_dripped_the_session_goes_on(url):
    through = wire.session(1)
    with pytest.raises(wire.Unanswered):
        asked(through, url, "/body")
    assert asked(through, url, "/quick", seconds=5)[0] == 200


def test_a_connection_that_was_kept_for_long_has_its_whole_time_again(url):
    through = wire.session(1)
    asked(through, url, "/quick", seconds=0.6)
    time.sleep(0.8)
    assert asked(through, url, "/quick", seconds=0.6)[0] == 200
