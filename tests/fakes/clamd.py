"""ClamAV's daemon on a socket of its own: knows INSTREAM, finds the EICAR test file, and can be small, strange or silent."""

import socketserver
import struct
import threading
from pathlib import Path
from typing import Any, Self

EICAR = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"


class FakeClamd(socketserver.ThreadingUnixStreamServer):
    """Runs in its own threads while the `with` block lasts."""

    daemon_threads = True

    def __init__(self, path: Path) -> None:
        super().__init__(str(path), _Line)
        self.address = str(path)
        self.largest = 1_000_000
        self.says: bytes | None = None
        self.heard: list[bytes] = []

    def __enter__(self) -> Self:
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()


class _Line(socketserver.StreamRequestHandler):
    server: Any

    def handle(self) -> None:
        if self.rfile.read(10) != b"zINSTREAM\0":
            return self._say(b"UNKNOWN COMMAND\0")
        body = b""
        while size := struct.unpack("!L", self.rfile.read(4))[0]:
            body += self.rfile.read(size)
            if len(body) > self.server.largest:
                return self._say(b"INSTREAM size limit exceeded. ERROR\0")
        self.server.heard.append(body)
        if self.server.says is not None:
            return self._say(self.server.says)
        return self._say(b"stream: Eicar-Test-Signature FOUND\0" if EICAR in body else b"stream: OK\0")

    def _say(self, words: bytes) -> None:
        self.wfile.write(words)
