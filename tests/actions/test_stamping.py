"""Checkpoints stamped by an authority outside, over a real socket; whatever the authority does, the record goes on."""

import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import pytest
from cryptography.x509 import load_pem_x509_certificates

from incident import stamps
from incident.actions import checkpoints, stamping
from incident.actions.stamping import State
from incident.domain import audit
from incident.settings import Settings, SettingsError
from incident.store import checkpoints as store
from incident.store import sealed, time_stamps
from tests.fakes.authority import Authority
from tests.record import details, lines, verbs
from tests.store.test_checkpoints import write

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def authority():
    with Authority() as running:
        yield running


@pytest.fixture(autouse=True)
def _own_folders(app, authority, tmp_path, monkeypatch):
    folder = tmp_path / "keys"
    folder.mkdir(mode=0o700)
    monkeypatch.setattr(sealed.ring(), "folder", folder)
    authority.fault = ""


@pytest.fixture
def signed():
    """A record with a checkpoint of four lines."""
    write()
    checkpoints.sign(actor="U-9", now=NOON)


def stamped(authority, *, now=NOON, fault="", trusted=True, url=""):
    authority.fault = fault
    settings = Settings(test_mode=True, timestamp_url=url or authority.url, timestamp_time_limit=5)
    roots = load_pem_x509_certificates(authority.roots) if trusted else ()
    by = stamps.authority(settings)
    [reference] = stamping.due(now)
    return stamping.stamp(reference, by.ask, authority=by.name, roots=roots, clock=lambda: now)


def test_a_stamp_is_verified_kept_as_a_file_and_told(signed, authority):
    assert stamped(authority) == State.VERIFIED
    row = time_stamps.of(4)
    assert (row.authority, row.stamped_at[:4].isdigit()) == ("127.0.0.1", True)
    line = lines()[-1]
    assert (line.verb, line.subject, details(line)["state"]) == ("checkpoint.stamped", "C-4", "verified")
    file = store.folder() / "checkpoint-000000000004.tsr"
    assert (file.read_bytes(), file.stat().st_mode & 0o077) == (bytes(row.answer), 0)
    assert stamping.due(NOON + timedelta(days=30)) == []


@pytest.mark.skipif(shutil.which("openssl") is None, reason="There is no openssl on this machine.")
def test_openssl_verifies_the_files_as_the_document_says(signed, authority, tmp_path):
    stamped(authority)
    (tmp_path / "roots.pem").write_bytes(authority.roots)
    text, answer = (store.folder() / f"checkpoint-000000000004.{end}" for end in ("txt", "tsr"))
    asked = ["openssl", "ts", "-verify", "-data", text, "-in", answer, "-CAfile", tmp_path / "roots.pem"]
    assert subprocess.run(asked, capture_output=True, check=False).returncode == 0
    text.chmod(0o600)
    text.write_bytes(text.read_bytes().replace(b"\n4\n", b"\n5\n"))
    assert subprocess.run(asked, capture_output=True, check=False).returncode != 0


def test_the_offline_check_says_which_checkpoint_a_stamp_is_about_and_that_it_judges_no_signature(
    signed, authority, tmp_path, capsys
):
    stamped(authority)
    text, answer = (store.folder() / f"checkpoint-000000000004.{end}" for end in ("txt", "tsr"))
    export, other = tmp_path / "record.jsonl", tmp_path / "other.tsr"
    export.write_bytes(b"".join(store.exported()))
    assert audit.main([str(export), "--checkpoint", str(text), "--stamp", str(answer)]) == 0
    said = capsys.readouterr().out
    at = time_stamps.of(4).stamped_at
    assert f"the checkpoint of 4 lines was there at {at[:19]}Z" in said
    assert "Whether its authority signed it is not judged here" in said
    other.write_bytes(answer.read_bytes().replace(sha256(text.read_bytes()).digest(), bytes(32)))
    assert audit.main([str(export), "--stamp", str(other)]) == 1
    assert "wrong stamp: " in capsys.readouterr().out
    other.write_bytes(bytes(70_000))
    assert audit.main([str(export), "--stamp", str(other)]) == 1
    assert "not a stamp: A time stamp cannot be read: it is larger than 65536 bytes." in capsys.readouterr().out


def test_without_certificates_it_is_kept_and_said_not_to_be_verified(signed, authority):
    assert stamped(authority, trusted=False) == State.STORED
    assert (time_stamps.of(4).state, bool(time_stamps.of(4).answer), stamping.due(NOON)) == ("stored", True, [])


def test_an_answer_that_cannot_be_read_here_is_kept_for_those_who_can(signed, authority):
    assert stamped(authority, fault="nonsense") == State.STORED
    assert (time_stamps.of(4).reason, time_stamps.of(4).stamped_at) == ("not readable here", "")


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("another text", "about something else"),
        ("another nonce", "about something else"),
        ("forged", "not by a trusted authority"),
        ("refuses", "refused"),
        ("busy", "status 503"),
        ("redirects", "redirected"),
        ("a page", "not a time stamp"),
        ("cuts", "unanswered"),
    ],
)
def test_nothing_else_counts_and_the_record_goes_on(signed, authority, fault, reason):
    assert stamped(authority, fault=fault) == State.FAILED
    row = time_stamps.of(4)
    assert (row.reason, row.answer, verbs()[-1]) == (reason, None, "checkpoint.stamp_failed")
    assert not list(store.folder().glob("*.tsr"))
    checkpoints.sign(actor="U-9", now=NOON)
    assert store.verified().ok


def test_an_authority_of_strangers_is_not_trusted(signed, authority):
    with Authority() as other:
        assert stamped(authority, url=other.url) == State.FAILED
    assert time_stamps.of(4).reason == "not by a trusted authority"


def test_an_authority_that_is_away_is_asked_again_later_and_later(signed, authority):
    with Authority() as gone:
        url = gone.url
    assert stamped(authority, url=url) == State.FAILED
    assert time_stamps.of(4).reason == "unreached"
    assert stamping.due(NOON + timedelta(minutes=4)) == []
    again = NOON + timedelta(minutes=5)
    assert stamped(authority, now=again, fault="busy") == State.FAILED
    assert stamping.due(again + timedelta(minutes=9)) == []
    assert stamped(authority, now=again + timedelta(minutes=10)) == State.VERIFIED
    assert [row for row in verbs() if row.startswith("checkpoint.stamp")] == [
        "checkpoint.stamp_failed",
        "checkpoint.stamp_failed",
        "checkpoint.stamped",
    ]


def test_only_the_newest_checkpoint_is_stamped(signed, authority):
    write(1)
    checkpoints.sign(actor="U-9", now=NOON)
    assert stamping.due(NOON) == [str(store.latest().size)]


@pytest.mark.parametrize(
    ("chosen", "says"),
    [
        ({"timestamp_url": "http://stamps.example.org"}, "TIMESTAMP_URL"),
        ({"timestamp_url": "https://x.example", "timestamp_certificates": "/nowhere.pem"}, "cannot be read"),
        ({"timestamp_url": "https://x.example", "timestamp_certificates": __file__}, "holds no certificates"),
    ],
)
def test_a_wrong_setting_is_a_sentence_at_the_start(chosen, says):
    with pytest.raises(SettingsError, match=says):
        stamps.authority(Settings(test_mode=True, **chosen))
    assert stamps.authority(Settings(test_mode=True)) is None
