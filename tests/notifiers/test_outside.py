import socket
import threading
from collections.abc import Iterator
from contextlib import suppress

import pytest
import requests

from notifiers import outside


@pytest.mark.parametrize(
    ("number", "public"),
    [
        ("93.184.215.14", True),
        ("2606:2800:21f:cb07:6820:80da:af6b:8b2c", True),
        ("127.0.0.1", False),
        ("::1", False),
        ("10.1.2.3", False),
        ("172.16.0.1", False),
        ("192.168.1.1", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("0.0.0.0", False),
        ("224.0.0.1", False),
        ("fe80::1%eth0", False),
        ("fd00::1", False),
        ("::ffff:10.0.0.1", False),
        ("::ffff:93.184.215.14", True),
        ("64:ff9b::a9fe:a9fe", False),  # 169.254.169.254 behind a translator
        ("64:ff9b::5db8:d70e", True),
        ("64:ff9b:1::5db8:d70e", False),
        ("2002:7f00:1::1", False),  # 127.0.0.1 as 6to4
        ("::7f00:1", False),
        ("fec0::1", False),
        ("2001:db8::1", False),
        ("no number", False),
    ],
)
def test_only_numbers_of_the_public_network_are_public(number: str, public: bool):
    assert outside.is_public(number) is public


@pytest.fixture
def listener() -> Iterator[tuple[int, list[object]]]:
    """A port of this machine, and who knocked at it."""
    heard: list[object] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.5)

        def listen() -> None:
            with suppress(TimeoutError):
                heard.append(server.accept())

        thread = threading.Thread(target=listen)
        thread.start()
        yield server.getsockname()[1], heard
        thread.join()


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1"])
def test_a_name_that_leads_inside_is_not_even_connected_to(listener: tuple[int, list[object]], name: str):
    port, heard = listener
    with pytest.raises(requests.ConnectionError, match="not public"):
        outside.session(1, hosts=1).get(f"https://{name}:{port}/", timeout=2)
    assert heard == []


def test_the_same_port_would_have_answered_anybody_else(listener: tuple[int, list[object]]):
    port, heard = listener
    socket.create_connection(("127.0.0.1", port)).close()
    threading.Event().wait(0.1)
    assert len(heard) == 1


def test_a_public_number_is_the_one_connected_to_and_the_name_is_kept_for_the_certificate(
    listener: tuple[int, list[object]], monkeypatch: pytest.MonkeyPatch
):
    """The look-up is ours to answer here; a number of this machine is taken as public to see the connection come about."""
    port, heard = listener
    asked: list[str] = []
    real = socket.getaddrinfo

    def look_up(host: str, *more: object, **named: object) -> list[tuple[object, ...]]:
        asked.append(host)
        return real("127.0.0.1", *more, **named)  # type: ignore[arg-type,return-value]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    monkeypatch.setattr(outside, "is_public", lambda number: number == "127.0.0.1")
    with pytest.raises(requests.RequestException):  # whoever listens speaks no TLS
        outside.session(1, hosts=1).get(f"https://push.example:{port}/", timeout=0.5)
    assert asked == ["push.example", "127.0.0.1"]
    assert len(heard) == 1
