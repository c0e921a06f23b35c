"""Kept connections to one provider for thousands of small requests, each of which is written out by whoever makes it.

A session of `requests` builds some sixty objects for a request and its answer, and takes four times as long for one. Nothing
of what it guards against is given up: certificates are checked, no redirect is followed, no proxy or cookie is known, the
whole answer has a time limit (`notifiers.hurried`), and what may have been carried out is told from what certainly was not.
"""

import socket
from collections import deque
from collections.abc import Mapping
from http.client import HTTPException
from urllib.parse import urlsplit

from requests.structures import CaseInsensitiveDict
from requests.utils import DEFAULT_CA_BUNDLE_PATH
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError

from notifiers import hurried, wire

MOST_CONNECT_SECONDS = 10.0


class Lines:
    """Connections to one address, as many as there are requests at once; they are kept while the other side keeps them."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("An address with http or https and a host is needed.")
        self._host, self._port, self._tls = parts.hostname, parts.port, parts.scheme == "https"
        self._named = f"Host: {parts.netloc.rpartition('@')[2]}\r\nAccept-Encoding: identity\r\n"
        self._kept: deque[HTTPConnection] = deque()

    def post(
        self, target: str, head: Mapping[str, str], body: bytes, seconds: float
    ) -> tuple[int, Mapping[str, str], bytes]:
        """Status, headers and body of the answer, whole within `seconds`.

        Raises wire.Unreached, wire.Redirected, wire.Unanswered.
        """
        said = "".join([f"{name}: {value}\r\n" for name, value in head.items()])
        request = f"POST {target} HTTP/1.1\r\n{self._named}{said}Content-Length: {len(body)}\r\n\r\n"
        line = self._line(seconds)
        try:
            status, headers, answer, kept = self._exchanged(line, request.encode("ascii") + body, seconds)
        except (OSError, HTTPException, ValueError) as error:
            line.close()
            raise wire.Unanswered(type(error).__name__) from None
        except BaseException:
            line.close()
            raise
        if kept:
            self._kept.append(line)
        else:
            line.close()
        if 300 <= status < 400:
            raise wire.Redirected(str(status))
        return status, headers, answer

    def _exchanged(
        self, line: HTTPConnection, request: bytes, seconds: float
    ) -> tuple[int, Mapping[str, str], bytes, bool]:
        sock = line.sock
        if not isinstance(sock, socket.socket):
            raise HTTPException("The connection is gone.")
        sock.settimeout(seconds)
        sock.sendall(request)
        with hurried.Answer(sock, method="POST") as answer:
            answer.begin()
            body = answer.read(wire.MOST_ANSWER_BYTES)
            if answer.length and len(body) < wire.MOST_ANSWER_BYTES:
                raise HTTPException("The answer was cut off.")
            headers = CaseInsensitiveDict(answer.headers.items())
            return answer.status, headers, body, answer.isclosed() and not answer.will_close

    def _line(self, seconds: float) -> HTTPConnection:
        """A kept connection that the other side has not closed, or a new one. Raises Unreached."""
        while True:
            try:
                line = self._kept.pop()
            except IndexError:
                return self._new(min(seconds, MOST_CONNECT_SECONDS))
            if line.is_connected:
                return line
            line.close()

    def _new(self, seconds: float) -> HTTPConnection:
        line = (
            HTTPSConnection(
                self._host, self._port, timeout=seconds, cert_reqs="CERT_REQUIRED", ca_certs=DEFAULT_CA_BUNDLE_PATH
            )
            if self._tls
            else HTTPConnection(self._host, self._port, timeout=seconds)
        )
        try:
            line.connect()
        except (OSError, HTTPError) as error:
            line.close()
            raise wire.Unreached(type(error).__name__) from None
        return line
