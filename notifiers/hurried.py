"""Connections whose answer must be whole within its time, however slowly it drips.

A time limit on a socket starts anew with every byte, so a server that sends one now and then holds its caller for ever. Here
the limit is that of the whole answer: head and body together.
"""

import http.client
import io
import socket
import time
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool


class Drops(io.RawIOBase):
    """What arrives at a socket until its time is over; then TimeoutError."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock, self._raw = sock, sock.makefile("rb", buffering=0)
        self.begin(sock.gettimeout())

    def begin(self, limit: float | None) -> None:
        """From now on the next answer has so many seconds."""
        self._until = None if limit is None else time.monotonic() + limit

    def readable(self) -> bool:
        return True

    def readinto(self, space: Any) -> int | None:
        if self._until is not None:
            left = self._until - time.monotonic()
            if left <= 0:
                raise TimeoutError("The answer was not whole in time.")
            self._sock.settimeout(left)
        count: int | None = self._raw.readinto(space)
        return count

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Source:
    """A socket as the standard library reads an answer from it."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock

    def makefile(self, *_: object, **__: object) -> io.BufferedReader:
        return io.BufferedReader(Drops(self._sock))


class Answer(http.client.HTTPResponse):
    """An answer of which every byte must have come before its time is over."""

    def __init__(self, sock: socket.socket, *more: Any, **named: Any) -> None:
        super().__init__(_Source(sock), *more, **named)  # type: ignore[arg-type]


class _Plain(HTTPConnection):
    response_class = Answer


class _Encrypted(HTTPSConnection):
    response_class = Answer


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _Plain


class _EncryptedPool(HTTPSConnectionPool):
    ConnectionCls = _Encrypted


class Adapter(HTTPAdapter):
    """The way out of a session: its time limit is that of the whole answer."""

    def init_poolmanager(self, *more: Any, **named: Any) -> None:
        """Make the pools of connections."""
        super().init_poolmanager(*more, **named)
        self.poolmanager.pool_classes_by_scheme = {"http": _PlainPool, "https": _EncryptedPool}
