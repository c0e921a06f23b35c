"""What witnesses outside signed: taken in by their signature alone, shown and handed on with the checkpoint."""

import io
from datetime import UTC, datetime

import pytest

from incident.actions import checkpoints, record_keys, witnessing
from incident.domain import audit
from incident.domain.audit import Checkpoint, Witnesses
from incident.domain.errors import Invalid
from incident.store import checkpoints as store
from incident.store import record_keys as keys
from incident.store import sealed, witnesses
from tests.record import details, lines, verbs
from tests.store.test_checkpoints import tamper, write
from tests.vectors.audit import make

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
ONE, TWO = make.WITNESS_SEEDS
BOTH = Witnesses.read([str(make.witness(ONE)), str(make.witness(TWO))])
EITHER = Witnesses.read([str(make.witness(ONE)), str(make.witness(TWO))], 1)


@pytest.fixture(autouse=True)
def _own_folders(app, tmp_path, monkeypatch):
    folder = tmp_path / "keys"
    folder.mkdir(mode=0o700)
    monkeypatch.setattr(sealed.ring(), "folder", folder)


@pytest.fixture
def note():
    """The newest checkpoint of a record with a few lines."""
    write()
    checkpoints.sign(actor="U-9", now=NOON)
    return store.latest().note


def seen(note, *names):
    return note + "".join(make.cosignature(note, name) for name in names)


def test_a_signature_is_taken_in_whoever_brings_it_and_leaves_a_line(note):
    assert witnessing.take_in(seen(note, ONE), BOTH, actor="U-9", now=NOON) == [ONE]
    line = lines()[-1]
    assert (line.verb, line.subject, details(line)["keys"]) == (
        "checkpoint.cosigned",
        "C-4",
        [make.witness(ONE).id.hex()],
    )
    assert (witnesses.seen_by_enough(BOTH), witnesses.seen_by_enough(EITHER)) == (0, 4)
    assert witnessing.take_in(seen(note, ONE, TWO), BOTH, actor="U-9", now=NOON) == [TWO]
    assert witnesses.seen_by_enough(BOTH) == 4


def test_it_may_come_as_a_form_or_a_mail_writes_it(note):
    given = "\r\n" + seen(note, ONE).replace("\n", "\r\n") + "\r\n\r\n"
    assert witnessing.take_in(given, BOTH, actor="U-9", now=NOON) == [ONE]


def test_enough_witnesses_prove_what_they_saw_and_no_more(note):
    witnessing.take_in(seen(note, ONE, TWO), BOTH, actor="U-9", now=NOON)
    for path in store.folder().glob("*.txt"):
        path.unlink()
    inside = store.verified(by=BOTH)
    assert (inside.ok, inside.proven, inside.witnessed, inside.size) == (True, 4, 4, 5)
    verdict = audit.verify(io.BytesIO(b"".join(store.exported())), witnesses=BOTH)
    assert (verdict.ok, verdict.proven, verdict.witnesses) == (True, 4, {ONE: 4, TWO: 4})
    assert "Seen by 2 of 2 witnesses: the first 4 lines" in " ".join(verdict.sentences())
    alone = audit.verify(io.BytesIO(b"".join(store.exported())))
    assert (alone.ok, alone.proven) == (True, 0)


def test_a_signature_on_an_excerpt_s_checkpoint_goes_with_it(note):
    witnessing.take_in(seen(note, TWO), EITHER, actor="U-9", now=NOON)
    verdict = audit.verify(io.BytesIO(b"".join(store.excerpt(store.about("INC-1")))), witnesses=EITHER)
    assert (verdict.ok, verdict.proven) == (True, 4)


@pytest.mark.parametrize(
    ("bring", "says"),
    [
        (lambda note: note, "no signature in it"),
        (lambda note: "hello", "not a checkpoint"),
        (lambda note: note + make.cosignature(note, ONE, make.OTHER_SEED), "does not fit"),
        (lambda note: note + make.cosignature(make.NOTES[6], ONE), "does not fit"),
        (lambda note: seen(make.NOTES[6], ONE), "not a checkpoint of this record"),
        (lambda note: seen(note.replace("\n4\n", "\n3\n"), ONE), "not a checkpoint of this record"),
    ],
)
def test_nothing_else_is_taken_in(note, bring, says):
    with pytest.raises(Invalid, match=says):
        witnessing.take_in(bring(note), BOTH, actor="U-9", now=NOON)
    assert verbs()[-1] == "checkpoint.signed"


def test_who_is_no_witness_here_is_none(note):
    with pytest.raises(Invalid, match="no signature in it"):
        witnessing.take_in(seen(note, TWO), Witnesses.read([str(make.witness(ONE))]), actor="U-9", now=NOON)
    with pytest.raises(Invalid, match="no signature in it"):
        witnessing.take_in(seen(note, TWO), Witnesses(), actor="U-9", now=NOON)


def test_the_same_again_is_said_to_be_here(note):
    witnessing.take_in(seen(note, ONE), BOTH, actor="U-9", now=NOON)
    with pytest.raises(Invalid, match="not here already"):
        witnessing.take_in(seen(note, ONE), BOTH, actor="U-9", now=NOON)


def test_a_witness_who_saw_another_record_of_this_key_has_found_a_fork(note):
    text = audit.checkpoint_text(store.audit.identity(), 4, bytes(32))
    fork = audit.signed_note(text, store.key(), keys.private(is_new=False).sign(text.encode()))
    with pytest.raises(Invalid, match="another one under its name"):
        witnessing.take_in(seen(fork, ONE), BOTH, actor="U-9", now=NOON)


def test_a_signature_changed_in_the_database_is_found(note):
    witnessing.take_in(seen(note, ONE), BOTH, actor="U-9", now=NOON)
    forged = make.cosignature(note, ONE, make.OTHER_SEED)
    tamper(f"UPDATE cosignature SET line = '{forged}'")
    assert "forged signature" in {finding.kind for finding in store.verified(by=BOTH).findings}


def test_after_a_change_of_the_key_witnesses_go_on(note):
    record_keys.rotate(actor="U-9", now=NOON)
    newest = store.latest()
    witnessing.take_in(seen(newest.note, ONE, TWO), BOTH, actor="U-9", now=NOON)
    verdict = store.verified(by=BOTH)
    assert (verdict.ok, verdict.witnessed) == (True, newest.size)


def test_two_witnesses_are_two_people():
    key = str(make.witness(ONE))
    with pytest.raises(audit.Malformed, match="twice"):
        Witnesses.read([key, key])
    with pytest.raises(audit.Malformed, match="twice"):
        Witnesses.read([key, str(audit.Key("c.example", make.witness(ONE).public, audit.COSIGNING))])
    with pytest.raises(audit.Malformed, match="more witnesses"):
        Witnesses.read([key], 2)
    with pytest.raises(audit.Malformed):
        Witnesses.read([str(make.key_of(make.SEED))])


def test_the_checkpoint_that_is_handed_out_bears_all_signatures(note):
    witnessing.take_in(seen(note, ONE, TWO), BOTH, actor="U-9", now=NOON)
    complete = Checkpoint.read(witnesses.complete(note, 4))
    assert [name for name, _, _ in complete.signatures[1:]] == [ONE, TWO]
