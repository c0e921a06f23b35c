"""The key that signs the record: changed by the old one's signature, replaced by two people after it was lost."""

import io
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from incident.actions import checkpoints, record_keys
from incident.actions.ledger import transaction
from incident.domain import audit
from incident.domain.access import Role
from incident.domain.errors import Invalid, Refused
from incident.store import checkpoints as store
from incident.store import record_keys as rows
from incident.store import sealed
from incident.store.audit import RecordTrouble
from incident.store.db import db
from incident.store.keys import KeysError
from tests.actions.test_checkpoints import handed_over
from tests.builders import a_user
from tests.record import details, lines, verbs
from tests.store.test_checkpoints import kinds, tamper, write

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _own_folders(app, tmp_path, monkeypatch):
    """Keys and checkpoint files of this test alone."""
    folder = tmp_path / "keys"
    folder.mkdir(mode=0o700)
    monkeypatch.setattr(sealed.ring(), "folder", folder)


@pytest.fixture
def signed():
    """A record with three lines and a checkpoint; its first key."""
    write()
    checkpoints.sign(actor="U-9", now=NOON)
    return store.key()


def lose():
    (sealed.ring().folder / "record.key").unlink()


def two():
    return a_user(Role.ADMINISTRATOR).ref, a_user(Role.PRIVACY).ref


def checked(*keys, outside=()):
    return audit.verify(io.BytesIO(b"".join(store.exported())), outside, keys)


def test_a_change_is_a_line_that_the_old_key_signed_and_a_checkpoint_by_the_new_one(signed):
    new = record_keys.rotate(actor="U-9", now=NOON)
    assert verbs()[-2:] == ["record.key_changed", "checkpoint.signed"]
    change, signing = lines()[-2:]
    told = details(change)
    assert (told["old"], told["new"]) == (signed.public.hex(), new.public.hex())
    text = audit.key_change_text(store.audit.identity(), change.seq, signed.public, new.public).encode()
    assert audit.is_signed(signed.public, text, bytes.fromhex(told["signature"]))
    assert details(signing)["key"] == new.id.hex()
    note = audit.Checkpoint.read(store.latest().note)
    assert (note.trouble(new), note.trouble(signed)[0], note.size) == (None, "wrong key", signing.seq + 1)
    assert store.key() == new != signed == store.first_key()


def test_all_checks_go_on_over_a_change_whichever_of_the_keys_the_reader_knows(signed):
    before = store.latest().note
    new = record_keys.rotate(actor="U-9", now=NOON)
    write(2)
    checkpoints.sign(actor="U-9", now=NOON)
    inside = store.verified()
    assert (inside.ok, inside.proven, [reign.key for reign in inside.keys]) == (
        True,
        inside.size,
        [str(signed), str(new)],
    )
    for known in ((), (signed,), (new,), (signed, new)):
        verdict = checked(*known, outside=[before, store.latest().note])
        assert (verdict.ok, verdict.proven) == (True, verdict.size), known
    assert f"changed at line 4, from {signed.id.hex()} to {new.id.hex()}" in " ".join(checked().sentences())


def test_a_key_may_be_changed_again_and_each_file_stays(signed):
    made = [record_keys.rotate(actor="U-9", now=NOON) for _ in range(2)]
    assert (store.verified().ok, checked(signed).ok, checked(made[1]).ok) == (True, True, True)
    assert [row.file for row in rows.every()] == ["record", "record-0002", "record-0003"]
    assert sorted(path.name for path in sealed.ring().folder.glob("*.key")) == [
        "record-0002.key",
        "record-0003.key",
        "record.key",
    ]


def test_two_who_change_it_at_once_change_it_one_after_the_other(app, signed):
    def change():
        with app.app_context():
            record_keys.rotate(actor="U-9", now=NOON)
            checkpoints.sign(actor="U-8", now=NOON)

    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(change) for _ in range(4)]:
            done.result()
    db.session.rollback()  # look at what is there now
    verdict = store.verified()
    assert (verdict.ok, len(verdict.keys), checked(signed).ok) == (True, 5, True)
    named = {line.subject: details(line)["key"] for line in lines() if line.verb == "checkpoint.signed"}
    for size, key in named.items():
        note = audit.Checkpoint.read(store.of(int(size[2:])).note)
        assert note.signatures[0][1].hex() == key


def test_auditors_and_administrators_are_told_the_new_key(signed):
    a_user(Role.AUDITOR), a_user(Role.ADMINISTRATOR), a_user(Role.LEAD)
    new = record_keys.rotate(actor="U-9", now=NOON)
    mails = handed_over(NOON + timedelta(minutes=1))
    assert [str(new) in mail.text for mail in mails] == [True, True]


def test_a_record_that_was_never_signed_has_no_key_to_change():
    write()
    with pytest.raises(Refused, match="never signed"):
        record_keys.rotate(actor="U-9", now=NOON)
    with pytest.raises(Refused, match="never signed"):
        record_keys.replace(*two(), now=NOON)
    assert rows.every() == []


def test_over_a_changed_line_no_key_is_changed(signed):
    write(2)
    tamper("UPDATE audit_line SET actor = 'U-7' WHERE seq = 5")
    with pytest.raises(RecordTrouble, match="Line 5"):
        record_keys.rotate(actor="U-9", now=NOON)
    assert (store.key(), verbs()[-1]) == (signed, "note.added")


def test_another_file_under_the_name_of_the_key_signs_nothing(signed):
    path = sealed.ring().folder / "record.key"
    path.write_bytes(bytes(32))
    write(1)
    with pytest.raises(KeysError, match="not the key that signs this record"):
        checkpoints.sign(actor="U-9", now=NOON)
    with pytest.raises(KeysError, match="not the key that signs this record"):
        record_keys.rotate(actor="U-9", now=NOON)


@pytest.mark.parametrize("content", [b"", bytes(31), bytes(33)])
def test_a_damaged_file_is_said_to_be_damaged(signed, content):
    (sealed.ring().folder / "record.key").write_bytes(content)
    with pytest.raises(KeysError, match=r"record\.key is damaged"):
        store.demand_key()
    with pytest.raises(KeysError, match=r"record\.key is damaged"):
        store.verified()


def test_a_lost_key_is_replaced_by_two_people_and_every_check_says_so(signed):
    write(2)
    first, second = two()
    lose()
    with pytest.raises(KeysError, match="replace-key"):
        checkpoints.sign(actor="U-9", now=NOON)
    new = record_keys.replace(first, second, now=NOON)
    change = lines()[-2]
    assert (change.verb, change.actor, details(change)["second"]) == ("record.key_replaced", first, second)
    said = f"Key replaced without the old one's signature at line {change.seq}"
    inside = store.verified()
    assert (inside.ok, said in " ".join(inside.sentences())) == (True, True)
    for unknown in ((), (signed,)):
        verdict = checked(*unknown)
        found = {finding.kind for finding in verdict.findings}
        assert ("key replaced" in found, said in " ".join(verdict.sentences())) == (True, True)
    known = checked(signed, new)
    assert (known.ok, said in " ".join(known.sentences()), checked(new).ok) == (True, True, True)


@pytest.mark.parametrize(
    ("first", "second", "field"),
    [
        ((Role.LEAD,), (Role.ADMINISTRATOR,), "first"),
        ((Role.ADMINISTRATOR,), (Role.AUDITOR,), "second"),
        ((Role.ADMINISTRATOR,), (Role.RESPONDER,), "second"),
    ],
)
def test_not_everybody_may_replace_it(signed, first, second, field):
    lose()
    with pytest.raises(Invalid) as refused:
        record_keys.replace(a_user(*first).ref, a_user(*second).ref, now=NOON)
    assert (refused.value.field, store.key()) == (field, signed)


def test_one_person_is_not_two(signed):
    lose()
    person = a_user(Role.ADMINISTRATOR, Role.LEAD).ref
    with pytest.raises(Invalid, match="another person"):
        record_keys.replace(person, person, now=NOON)
    assert "record.key_replaced" not in verbs()


def test_a_key_that_is_there_is_not_replaced(signed):
    with pytest.raises(Refused, match="rotate-key"):
        record_keys.replace(*two(), now=NOON)


def test_where_the_old_key_was_never_kept_somebody_brings_it(signed):
    tamper("DELETE FROM record_key")
    lose()
    both = two()
    with pytest.raises(Invalid, match=r"record-key\.txt"):
        record_keys.replace(*both, now=NOON)
    stranger = audit.Key(signed.name, bytes(31) + b"\1")
    with pytest.raises(Invalid, match="not signed with this key"):
        record_keys.replace(*both, old_key=str(stranger), now=NOON)
    new = record_keys.replace(*both, old_key=f" {signed}\n", now=NOON)
    assert (store.first_key(), store.key(), checked(new).ok) == (signed, new, True)


def test_a_record_of_an_earlier_version_gets_its_first_key_with_the_next_change(signed):
    tamper("DELETE FROM record_key")
    assert store.key() == signed
    new = record_keys.rotate(actor="U-9", now=NOON)
    assert ([row.key for row in rows.every()], store.verified().ok) == ([signed, new], True)


def test_who_owns_the_database_alone_cannot_bring_a_key_in(signed):
    """They write the line and the row that a loss would leave, and sign with a key of their own."""
    stranger = Ed25519PrivateKey.from_private_bytes(bytes(32))
    public = stranger.public_key().public_bytes_raw()
    with transaction("U-9", NOON) as ledger:
        ledger.write("record.key_replaced", "K-1", old=signed.public.hex(), new=public.hex(), second="U-8")
        rows.add(public, file="record-0002", since=4, at="2026-03-10T12:00:00.000000Z", signed=False)
    assert "key replaced" in kinds()
    with pytest.raises(KeysError):
        checkpoints.sign(actor="U-9", now=NOON)


def test_keys_of_the_database_that_no_line_brought_are_found(signed):
    rows.add(bytes(32), file="record-0002", since=2, at="2026-03-10T12:00:00.000000Z")
    db.session.commit()
    assert "key order" in kinds()


def test_an_excerpt_shows_every_change_of_the_key(signed):
    new = record_keys.rotate(actor="U-9", now=NOON)
    raw = b"".join(store.excerpt(store.about("INC-1")))
    verdict = audit.verify(io.BytesIO(raw), [store.latest().note], [signed])
    assert (verdict.ok, verdict.proven, verdict.key) == (True, verdict.size, str(new))
    assert b"record.key_changed" in raw
