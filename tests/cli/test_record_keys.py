"""The keys of the record, by command: changed, replaced after a loss by two people with password and code, and witnesses' signatures."""

import json
import re

import pyotp
import pytest
from click.testing import CliRunner

from incident import clock
from incident.actions import checkpoints, signin
from incident.actions.signin import Client
from incident.cli import tocsin
from incident.domain import audit
from incident.store import checkpoints as signed
from incident.store import credentials, users
from incident.store.db import db, new_ref
from incident.store.keys import KeysError
from incident.store.passkeys import Passkey
from tests.builders import a_user, an_incident
from tests.cli.test_operations import place as place
from tests.cli.test_operations import pytest_generate_tests as pytest_generate_tests
from tests.record import verbs
from tests.vectors.audit import make

WORDS = "correct horse battery staple"
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


@pytest.fixture
def people(place):
    """An installation with a checkpoint, and the addresses of an administrator and a privacy officer."""
    found = []
    with place.app().app_context():
        for role in ("administrator", "privacy"):
            user = a_user(role, password=WORDS, email=f"{role}@example.org")
            secret = signin.with_password(user.email, WORDS, client=Client(None, "a test"), now=clock.now())
            row = users.session_by_key(credentials.key_of(secret), clock.now())
            _, codes = signin.set_up_second_factor(row.ref, SECRET, pyotp.TOTP(SECRET).now(), now=clock.now())
            found.append((user.email, *codes[:2]))
        checkpoints.sign(actor="cli", now=clock.now())
        db.session.remove()
        db.engine.dispose()
    return found


def replaced(place, people, *typed, more=()):
    arguments = ["audit", "replace-key", "--first", people[0][0], "--second", people[1][0], *more]
    done = CliRunner().invoke(tocsin, arguments, input="\n".join([*typed, ""]))
    failed = isinstance(done.exception, Exception)
    return (2, f"{done.output}{done.exception}") if failed else (done.exit_code, done.output)


def test_a_key_is_changed_and_listed(place, people, tmp_path):
    code, said = place.run("audit", "rotate-key", "--json")
    key = json.loads(said)["key"]
    assert (code, audit.Key.read(key).id.hex()) == (0, json.loads(said)["id"])
    listed = json.loads(place.run("audit", "keys", "--json")[1])
    assert ([one["signed"] for one in listed], listed[1]["key"]) == ([True, True], key)
    assert key in place.run("audit", "keys")[1]
    assert place.run("audit", "verify")[0] == 0
    assert place.run("audit", "export", tmp_path / "record.jsonl")[0] == 0
    with (tmp_path / "record.jsonl").open("rb") as file:
        assert audit.verify(file, keys=[audit.Key.read(listed[0]["key"])]).ok


def test_a_lost_key_stops_the_start_until_two_people_have_replaced_it(place, people):
    (place.instance / "keys" / "record.key").unlink()
    code, said = place.run("audit", "verify")
    assert (code, "replace-key" in said) == (2, True)
    code, said = replaced(place, people, WORDS, people[0][1], WORDS, people[1][1], more=["--json"])
    assert code == 0, said
    assert re.search(r'"key": "tocsin/', said)
    code, said = place.run("audit", "verify")
    assert (code, "Key replaced without the old one's signature" in said) == (0, True)
    assert place.run("bundle", a_case(place), place.instance.parent / "all.zip")[0] == 0
    with place.app().app_context():
        assert {"session.signed_in", "record.key_replaced", "session.signed_out"} <= set(verbs())


def test_whoever_signs_in_by_passkey_replaces_it_with_a_recovery_code_and_each_code_counts_once(place, people):
    """A generator is not needed: what is typed here are recovery codes, and the passkey changes nothing about them."""
    with place.app().app_context():
        for address, *_ in people:
            user = users.by_email(address)
            key = Passkey(
                ref=new_ref("PK"), user_id=user.id, key=address, name="blue", credential=b"c", public_key=b"p"
            )
            key.sign_count, key.synced, key.added_at, key.last_challenge = 0, False, clock.now(), ""
            db.session.add(key)
        db.session.commit()
        db.session.remove()
        db.engine.dispose()
    (place.instance / "keys" / "record.key").unlink()
    code, said = replaced(place, people, WORDS, people[0][2], WORDS, people[1][2])
    assert (code, "of the generator or a recovery code" in said) == (0, True), said
    newest = max((place.instance / "keys").glob("record*.key"))
    newest.unlink()
    code, said = replaced(place, people, WORDS, people[0][2], WORDS, people[1][1])
    assert (code != 0, "not right, or was used before" in said) == (True, True), said


def a_case(place):
    with place.app().app_context():
        ref = an_incident().ref
        db.session.remove()
    return ref


def test_a_backup_holds_the_stamps_of_checkpoints(place, people):
    kept = place.instance / "checkpoints" / f"checkpoint-{1:012d}.tsr"
    kept.write_bytes(b"stamp")
    assert place.run("backup", place.instance.parent / "backup")[0] == 0


@pytest.mark.parametrize("wrong", ["password", "code", "one person"])
def test_without_both_people_nothing_is_replaced(place, people, wrong):
    (place.instance / "keys" / "record.key").unlink()
    if wrong == "password":
        code, said = replaced(place, people, WORDS, people[0][1], "another one altogether")
    elif wrong == "code":
        code, said = replaced(place, people, WORDS, people[0][1], WORDS, "000000")
    else:
        alone = [people[0], people[0]]
        code, said = replaced(place, alone, WORDS, people[0][1], WORDS, people[0][2])
    says = {"password": "did not work", "code": "not right", "one person": "another person"}
    assert (code != 0, says[wrong] in said) == (True, True), said
    with pytest.raises(KeysError, match="replace-key"):
        place.app()


def test_what_a_witness_signed_is_taken_in_and_asked_for(place, people, tmp_path, monkeypatch):
    name = next(iter(make.WITNESS_SEEDS))
    monkeypatch.setenv("TOCSIN_WITNESS_KEYS", str(make.witness(name)))
    with place.app().app_context():
        note = signed.latest().note
    (tmp_path / "seen.txt").write_text(note + make.cosignature(note, name), encoding="utf-8")
    assert place.run("audit", "verify", "--require-checkpoint")[0] == 1
    code, said = place.run("audit", "cosigned", tmp_path / "seen.txt")
    assert (code, name in said) == (0, True)
    assert place.run("audit", "cosigned", tmp_path / "seen.txt")[0] == 2
    told = json.loads(place.run("audit", "verify", "--json")[1])
    size = audit.Checkpoint.read(note).size
    assert (told["ok"], told["witnessed"], told["witnesses"][name]) == (True, size, size)
    code, note = place.run("audit", "checkpoint")
    (tmp_path / "newest.txt").write_text(note, encoding="utf-8")
    assert place.run("audit", "verify", "--require-checkpoint", "--checkpoint", tmp_path / "newest.txt")[0] == 0
