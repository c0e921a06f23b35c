"""Small requests over kept connections: what certainly was not carried out is told from what may have been."""

import socket
import ssl
import threading
import time
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from notifiers import wire
from notifiers.lines import Lines
from tests.journeys.installation import free_port

WHOLE = b'{"all": "of it"}' * 200


class Provider(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    seen: list[tuple[int, bytes, dict[str, str]]] = []

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.seen.append((self.client_address[1], body, dict(self.headers.items())))
        getattr(self, "_" + self.path.removeprefix("/"))()

    def _said(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def _whole(self) -> None:
        self._said(201, WHOLE, Content_Length=str(len(WHOLE)), Retry_After="7")

    def _chunks(self) -> None:
        self._said(201, b"%x\r\n%b\r\n0\r\n\r\n" % (len(WHOLE), WHOLE), Transfer_Encoding="chunked")

    def _last(self) -> None:
        self._said(201, WHOLE, Connection="close")
        self.close_connection = True

    def _quits(self) -> None:
        """Answers whole, promises to stay, and goes."""
        self._whole()
        self.close_connection = True

    def _half(self) -> None:
        self._said(201, WHOLE[:100], Content_Length=str(len(WHOLE)))
        self.close_connection = True

    def _cut(self) -> None:
        self.close_connection = True

    def _drips(self) -> None:
        self._said(201, b"", Content_Length="300")
        try:
            for _ in range(300):
                self.wfile.write(b"x")
                time.sleep(0.1)
        except OSError:
            self.close_connection = True

    def _elsewhere(self) -> None:
        self._said(307, b"", Location="http://127.0.0.1:9/", Content_Length="0")

    def log_message(self, *_: object) -> None:
        """Quiet."""


@pytest.fixture
def provider():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Provider)
    server.daemon_threads = True
    Provider.seen = []
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def lines(server):
    return Lines(f"http://127.0.0.1:{server.server_address[1]}")


def asked(line, path, seconds=5.0):
    return line.post(path, {"Content-Type": "text/plain", "X-One": "1"}, b"body of one", seconds)


@pytest.mark.parametrize("path", ["/whole", "/chunks"])
def test_answers_are_read_whole_over_one_kept_connection(provider, path):
    line = lines(provider)
    for _ in range(3):
        status, headers, body = asked(line, path)
        assert (status, body) == (201, WHOLE)
    assert len({port for port, _, _ in Provider.seen}) == 1
    assert wire.seconds_to_wait(headers) == (7 if path == "/whole" else None)
    _, body, said = Provider.seen[0]
    assert body == b"body of one"
    assert (said["X-One"], said["Host"]) == ("1", f"127.0.0.1:{provider.server_address[1]}")


@pytest.mark.parametrize("path", ["/last", "/quits"])
def test_a_connection_that_the_other_side_closed_is_not_used_again(provider, path):
    line = lines(provider)
    for _ in range(3):
        assert asked(line, path)[2] == WHOLE
        until = time.monotonic() + 5
        while any(one.is_connected for one in line._kept) and time.monotonic() < until:
            time.sleep(0.01)
    assert len({port for port, _, _ in Provider.seen}) == 3


@pytest.mark.parametrize("path", ["/half", "/cut", "/drips"])
def test_without_a_whole_answer_in_time_it_may_have_been_carried_out(provider, path):
    line, began = lines(provider), time.monotonic()
    with pytest.raises(wire.Unanswered):
        asked(line, path, seconds=1.0)
    assert time.monotonic() - began < 4
    assert len(Provider.seen) == 1
    assert asked(line, "/whole")[0] == 201


def test_nobody_follows_a_redirect(provider):
    with pytest.raises(wire.Redirected):
        asked(lines(provider), "/elsewhere")
    assert len(Provider.seen) == 1


def test_where_nobody_listens_nothing_was_sent():
    with pytest.raises(wire.Unreached):
        asked(Lines(f"http://127.0.0.1:{free_port()}"), "/whole")


def test_a_certificate_that_nobody_vouches_for_is_refused_before_anything_is_said(tmp_path):
    key, name = (
        ec.generate_private_key(ec.SECP256R1()),
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")]),
    )
    now = datetime.now(UTC)
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(7)
    made = made.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
    made = made.add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
    pem = tmp_path / "both.pem"
    unsealed = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    pem.write_bytes(
        made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(serialization.Encoding.PEM, *unsealed)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    heard = []

    def listen(server):
        plain, _ = server.accept()
        try:
            with context.wrap_socket(plain, server_side=True) as secure:
                heard.append(secure.recv(1))
        except OSError:
            plain.close()

    with socket.create_server(("127.0.0.1", 0)) as server:
        listener = threading.Thread(target=listen, args=(server,))
        listener.start()
        with pytest.raises(wire.Unreached):
            asked(Lines(f"https://localhost:{server.getsockname()[1]}"), "/whole")
        listener.join(5)
    assert heard in ([], [b""])


@pytest.mark.parametrize("url", ["ftp://localhost", "localhost", "http://"])
def test_an_address_that_is_none_is_refused(url):
    with pytest.raises(ValueError, match="address"):
        Lines(url)
