"""A mail server: plain or with STARTTLS, with a login, and with replies of choice for single addresses."""

import base64
import datetime
import ipaddress
import socket
import socketserver
import ssl
import struct
import tempfile
import threading
from dataclasses import dataclass
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.fakes.faults import Fault, Faults


@dataclass
class Mail:
    """One message with its envelope."""

    sender: str
    to: list[str]
    raw: bytes

    @property
    def parsed(self) -> EmailMessage:
        """The message as a mail program reads it."""
        return message_from_bytes(self.raw, policy=default)  # type: ignore[return-value]


class FakeSmtp(socketserver.ThreadingTCPServer):
    """`mails` is what was taken. `replies` gives an address its reply at RCPT, such as b"550 5.1.1 no such user"."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(
        self,
        faults: Faults | None = None,
        *,
        login: tuple[str, str] | None = None,
        tls: bool = False,
        utf8: bool = False,
    ) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.faults, self.login, self.utf8 = faults or Faults(), login, utf8
        self.mails: list[Mail] = []
        self.replies: dict[str, bytes] = {}
        self.connections = 0
        self.most_each = 0  # messages that one connection may bring; then it is closed, without a word if `silently`
        self.silently = False
        self.garbage = b"<html>502 Bad Gateway</html>"  # what it says of a message that it took, where that is a fault
        self.lock = threading.Lock()
        self.certificate, self.context = _certificate() if tls else ("", None)
        self.port = self.server_address[1]

    @property
    def url(self) -> str:
        """The address for the settings."""
        name = f"{self.login[0]}:{self.login[1]}@" if self.login else ""
        return f"smtp://{name}127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()

    def handle_error(self, request: object, client_address: object) -> None:
        """A caller that went away is no news."""


class _Handler(socketserver.StreamRequestHandler):
    server: FakeSmtp

    def handle(self) -> None:
        with self.server.lock:
            self.server.connections += 1
        self.secure, self.known = False, False
        self.sender, self.to, self.brought = "", list[str](), 0
        self._say(b"220 fake.example ESMTP")
        while line := self.rfile.readline():
            word, _, rest = line.strip().decode().partition(" ")
            if not getattr(self, f"on_{word.lower()}", self.on_unknown)(rest):
                return

    def _say(self, reply: bytes) -> bool:
        self.wfile.write(reply + b"\r\n")
        return True

    def on_unknown(self, _: str) -> bool:
        return self._say(b"500 5.5.1 unknown command")

    def on_ehlo(self, _: str) -> bool:
        offers = [b"fake.example", b"8BITMIME", b"ENHANCEDSTATUSCODES"]
        offers += [b"STARTTLS"] if self.server.context and not self.secure else []
        offers += [b"AUTH PLAIN LOGIN"] if self.server.login else []
        offers += [b"SMTPUTF8"] if self.server.utf8 else []
        return self._say(b"\r\n".join([b"250-" + offer for offer in offers[:-1]] + [b"250 " + offers[-1]]))

    def on_starttls(self, _: str) -> bool:
        if self.server.context is None:
            return self._say(b"502 5.5.1 not offered")
        self._say(b"220 2.0.0 ready")
        self.connection = self.server.context.wrap_socket(self.connection, server_side=True)
        self.rfile, self.wfile = self.connection.makefile("rb"), self.connection.makefile("wb", buffering=0)
        self.secure = True
        return True

    def on_auth(self, rest: str) -> bool:
        kind, _, given = rest.partition(" ")
        if kind.upper() != "PLAIN":
            return self._say(b"504 5.5.4 not known")
        parts = base64.b64decode(given).decode().split("\0")
        self.known = self.server.login == (parts[1], parts[2])
        return self._say(b"235 2.7.0 welcome" if self.known else b"535 5.7.8 credentials refused")

    def on_mail(self, rest: str) -> bool:
        if self.server.login and not self.known:
            return self._say(b"530 5.7.0 authentication required")
        if self.server.most_each and self.brought == self.server.most_each:
            return self._cut() if self.server.silently else not self._say(b"421 4.7.0 enough for one connection")
        self.brought += 1
        self.sender, self.to = rest[rest.index("<") + 1 : rest.index(">")], []
        return self._say(b"250 2.1.0 ok")

    def on_rcpt(self, rest: str) -> bool:
        address = rest[rest.index("<") + 1 : rest.index(">")]
        if address in self.server.replies:
            return self._say(self.server.replies[address])
        self.to.append(address)
        return self._say(b"250 2.1.5 ok")

    def on_rset(self, _: str) -> bool:
        return self._say(b"250 2.0.0 ok")

    def on_noop(self, _: str) -> bool:
        return self._say(b"250 2.0.0 ok")

    def on_quit(self, _: str) -> bool:
        self._say(b"221 2.0.0 bye")
        return False

    def on_data(self, _: str) -> bool:
        fault = self.server.faults.next()
        if fault is Fault.CUT_BEFORE:
            return self._cut()
        if fault in (Fault.BUSY, Fault.TROUBLE):
            return self._say(b"451 4.3.0 try again later")
        self._say(b"354 go on")
        lines = []
        while (line := self.rfile.readline()) not in (b".\r\n", b""):
            lines.append(line[1:] if line.startswith(b".") else line)
        with self.server.lock:
            self.server.mails.append(Mail(self.sender, list(self.to), b"".join(lines)))
        if fault is Fault.CUT_AFTER:
            return self._cut()
        if fault is Fault.GARBAGE:
            return self._say(self.server.garbage)
        return self._say(b"250 2.0.0 queued")

    def _cut(self) -> bool:
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
        return False

    def finish(self) -> None:
        try:
            super().finish()
        except (OSError, ValueError):
            return


def _certificate() -> tuple[str, ssl.SSLContext]:
    """A self-signed certificate for this machine (PEM), and the context that shows it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    today = datetime.datetime.now(datetime.UTC)
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(today - datetime.timedelta(days=1))
        .not_valid_after(today + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.TemporaryDirectory() as folder:
        both = Path(folder) / "both.pem"
        both.write_bytes(pem + private)
        context.load_cert_chain(both)
    return pem.decode(), context
