"""What ClamAV's daemon says of bytes, over a real socket: what it finds, and that it is never taken for a clean bill when it says nothing."""

import pytest

from notifiers.clamd import Clamd
from notifiers.contract import Misconfigured
from notifiers.searches import NotSearched, Verdict
from tests.fakes.clamd import EICAR, FakeClamd


@pytest.fixture
def fake(tmp_path):
    with FakeClamd(tmp_path / "clamd.sock") as server:
        yield server


def test_bytes_arrive_whole_and_in_order_and_are_found_clean(fake):
    pieces = [b"a" * 300_000, b"", b"b" * 10]
    assert Clamd(fake.address).search(pieces) == Verdict("nothing")
    assert fake.heard == [b"".join(pieces)]


def test_the_test_file_of_all_searchers_is_found_across_pieces_too(fake):
    assert Clamd(fake.address).search([EICAR[:20], EICAR[20:]]) == Verdict("found", "Eicar-Test-Signature")


def test_a_file_above_the_limit_of_the_daemon_was_not_searched(fake):
    fake.largest = 100
    assert Clamd(fake.address).search([b"x" * 200_000] * 20) == Verdict("too_large")


@pytest.mark.parametrize(
    "says", [b"", b"stream: maybe\0", b"\xff\xfe\0", b"OK\0", b"x" * 10_000, b"stream: OK FOUND or not\0"]
)
def test_what_is_no_word_of_the_daemon_is_no_clean_bill(fake, says):
    fake.says = says
    with pytest.raises(NotSearched):
        Clamd(fake.address).search([b"hello"])


def test_the_name_of_what_was_found_is_one_plain_word(fake):
    fake.says = "stream: Win.<b>Ünder</b> {a} FOUND\0".encode()
    found = Clamd(fake.address).search([b"hello"])
    assert found.word == "found"
    assert found.name.isascii()
    assert not set(found.name) & set("<>{} \n")


def test_without_a_daemon_nothing_was_searched(tmp_path):
    with pytest.raises(NotSearched):
        Clamd(str(tmp_path / "nobody")).search([b"hello"])
    with pytest.raises(NotSearched):
        Clamd("127.0.0.1:1", seconds=1).search([b"hello"])


@pytest.mark.parametrize("address", ["clamd", "clamd.sock", ":3310", "host:", "host:99999", "host:no"])
def test_an_address_is_a_path_or_host_and_port(address):
    with pytest.raises(Misconfigured, match="TOCSIN_CLAMD"):
        Clamd(address)
