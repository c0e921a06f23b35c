"""Files given to ClamAV's daemon over its socket: INSTREAM, as the manual page of clamd describes it.

Nothing is written anywhere, and no name of a file goes along. The daemon's word on what it found is kept in letters that
cannot be more than a word.
"""

import re
import socket
import struct
from collections.abc import Iterable
from typing import Final

from notifiers.contract import Misconfigured
from notifiers.searches import NotSearched, Verdict

COMMAND: Final = b"zINSTREAM\0"
PIECE: Final = 256 * 1024
LONGEST_ANSWER: Final = 4_096
NAME: Final = re.compile(r"[^A-Za-z0-9._/:-]+")
ANSWER: Final = re.compile(r"stream: (?:(?P<clean>OK)|(?P<name>.+) FOUND)")


class Clamd:
    """The daemon at a path (a Unix socket) or at host:port. Raises Misconfigured."""

    def __init__(self, address: str, *, seconds: float = 120) -> None:
        self._seconds = seconds
        self._path, self._place = "", ("", 0)
        host, _, port = address.rpartition(":")
        if address.startswith("/"):
            self._path = address
        elif host and port.isdigit() and 0 < int(port) < 65536:
            self._place = (host.strip("[]"), int(port))
        else:
            raise Misconfigured("TOCSIN_CLAMD: give the path of clamd's socket, or its host:port.")

    def search(self, pieces: Iterable[bytes]) -> Verdict:
        """What the daemon says of these bytes. Raises NotSearched where it does not say."""
        try:
            with self._connection() as line:
                too_large = not _told(line, pieces)
                answer = _heard(line)
        except OSError as error:
            raise NotSearched(type(error).__name__) from None
        return _read(answer, cut_off=too_large)

    def _connection(self) -> socket.socket:
        if not self._path:
            return socket.create_connection(self._place, timeout=self._seconds)
        line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            line.settimeout(self._seconds)
            line.connect(self._path)
        except BaseException:
            line.close()
            raise
        return line


def _told(line: socket.socket, pieces: Iterable[bytes]) -> bool:
    """Send it all; False where the daemon hung up before the end, which it does past its size limit, its word behind it."""
    try:
        line.sendall(COMMAND)
        for piece in pieces:
            for start in range(0, len(piece), PIECE):
                part = piece[start : start + PIECE]
                line.sendall(struct.pack("!L", len(part)) + part)
        line.sendall(struct.pack("!L", 0))
    except (BrokenPipeError, ConnectionResetError):
        return False
    return True


def _heard(line: socket.socket) -> str:
    heard = b""
    while not heard.endswith(b"\0") and len(heard) < LONGEST_ANSWER:
        try:
            part = line.recv(LONGEST_ANSWER)
        except ConnectionResetError:
            break
        if not part:
            break
        heard += part
    return heard.rstrip(b"\0\n").decode("utf-8", "replace")


def _read(answer: str, *, cut_off: bool) -> Verdict:
    if "size limit exceeded" in answer or (cut_off and not answer):
        return Verdict("too_large")
    found = ANSWER.fullmatch(answer)
    if found is None:
        raise NotSearched("strange_answer")
    return Verdict("nothing") if found["clean"] else Verdict("found", NAME.sub("-", found["name"])[:80])
