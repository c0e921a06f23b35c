import io
import json
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from incident import start
from incident.actions import checkpoints
from incident.actions.ledger import transaction
from incident.domain import audit as rules
from incident.settings import Settings
from incident.store import audit, sealed
from incident.store import checkpoints as store
from incident.store.audit import RecordTrouble
from incident.store.db import db
from incident.store.keys import KeysError
from tests.record import verbs

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _own_folder(app, tmp_path, monkeypatch):
    """Checkpoint files of this test alone; the key is the installation's."""
    monkeypatch.setattr(store, "folder", lambda: tmp_path / "checkpoints")


def write(count=3, verb="note.added"):
    with transaction("U-1", NOON) as ledger:
        for number in range(count):
            ledger.write(verb, f"T-{number}", incident="INC-1", number=number)


def tamper(*statements):
    """What somebody can do who owns the database: the guards are no obstacle to them."""
    with db.engine.connect().execution_options(tocsin_write=True) as other:
        if db.engine.dialect.name == "sqlite":
            for (name,) in other.execute(text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).fetchall():
                other.execute(text(f"DROP TRIGGER {name}"))
        else:
            other.execute(text("SET session_replication_role = replica"))
        for statement in statements:
            other.exec_driver_sql(statement)
        other.commit()
    db.session.rollback()


def kinds(**asked):
    return {finding.kind for finding in store.verified(**asked).findings}


def test_a_checkpoint_covers_its_own_line_and_proves_all(app):
    write()
    assert checkpoints.sign(actor="U-9", now=NOON) == 4
    assert verbs()[-1] == "checkpoint.signed"
    verdict = store.verified()
    assert (verdict.ok, verdict.size, verdict.proven, verdict.signed) == (True, 4, 4, 4)


def test_signing_again_with_nothing_new_changes_nothing(app):
    write()
    assert checkpoints.sign(actor="U-9", now=NOON) == checkpoints.sign(actor="U-9", now=NOON) == 4


def test_each_checkpoint_is_a_file_outside_the_database(app):
    write()
    checkpoints.sign(actor="U-9", now=NOON)
    (path,) = store.folder().iterdir()
    note = rules.Checkpoint.read(path.read_text(encoding="utf-8"))
    assert (note.size, note.trouble(store.key()), path.stat().st_mode & 0o077) == (4, None, 0)


def test_a_file_that_was_not_written_before_a_crash_is_written_later(app):
    write()
    checkpoints.sign(actor="U-9", now=NOON)
    next(store.folder().iterdir()).unlink()
    assert checkpoints.due(NOON) == ["publish"]
    checkpoints.do("publish", NOON)
    assert (len(list(store.folder().iterdir())), checkpoints.due(NOON)) == (1, [])


def test_signing_is_due_daily_and_at_once_after_what_matters(app):
    assert checkpoints.due(NOON) == []
    write()
    assert checkpoints.due(NOON) == ["daily"]
    checkpoints.do("daily", NOON)
    write()
    assert checkpoints.due(NOON + timedelta(hours=23)) == []
    assert checkpoints.due(NOON + timedelta(hours=24)) == ["daily"]
    write(1, "incident.closed")
    assert checkpoints.due(NOON + timedelta(hours=1)) == ["event"]


CHANGED_LINE = "UPDATE audit_line SET actor = 'U-2' WHERE seq = 1"


def test_a_changed_line_is_named(app):
    write()
    tamper(CHANGED_LINE)
    (finding, *_) = store.verified().findings
    assert (finding.kind, "Line 1 " in finding.sentence) == ("changed", True)


def rehash(*changes):
    """Rewrite lines and every hash kept in the database, as somebody would who knows the format."""
    log, frontier = audit.identity(), rules.Frontier()
    statements = list(changes)
    tamper(*statements)
    for row in list(audit.rows(0, 1_000)):
        seq = row[0]
        leaf = rules.leaf_hash(rules.encoded(log, seq, rules.Line(*row[1:7])))
        frontier.add(leaf)
        blob = f"x'{leaf.hex()}'" if db.engine.dialect.name == "sqlite" else f"'\\x{leaf.hex()}'"
        statements.append(f"UPDATE audit_line SET leaf = {blob} WHERE seq = {seq}")
    packed = frontier.packed().hex()
    blob = f"x'{packed}'" if db.engine.dialect.name == "sqlite" else f"'\\x{packed}'"
    tamper(*statements[len(changes) :], f"UPDATE audit_head SET size = {frontier.size}, frontier = {blob}")


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        (CHANGED_LINE, "changed"),
        ("UPDATE audit_line SET at = '2026-03-01T11:00:00.000000Z' WHERE seq = 1", "changed"),
        ("UPDATE audit_line SET details = '{\"number\":9}' WHERE seq = 1", "changed"),
        ("DELETE FROM audit_line WHERE seq = 3", "tail cut"),
        ("DELETE FROM audit_line", "tail cut"),
    ],
)
def test_rewriting_lines_and_hashes_is_found_by_the_checkpoint(app, change, kind):
    write()
    checkpoints.sign(actor="U-9", now=NOON)
    rehash(change)
    assert kind in kinds()


def test_rewriting_all_and_taking_the_checkpoint_out_is_found_by_its_file(app):
    write()
    checkpoints.sign(actor="U-9", now=NOON)
    rehash(CHANGED_LINE, "DELETE FROM checkpoint")
    assert kinds() == {"changed"}


def test_an_older_copy_of_the_database_is_found_by_the_file(app):
    write()
    checkpoints.sign(actor="U-9", now=NOON)
    rehash("DELETE FROM checkpoint", "DELETE FROM audit_line WHERE seq > 1")
    assert kinds() == {"tail cut"}


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ("DELETE FROM audit_line WHERE seq = 1", "changed"),
        ("DELETE FROM audit_line WHERE seq = 2", "size"),
        ("UPDATE audit_line SET seq = 7 WHERE seq = 2", "order"),
        (
            "INSERT INTO audit_line SELECT seq + 3, at, actor, verb, subject, incident, details, leaf FROM audit_line WHERE seq = 2",
            "order",
        ),
        ("UPDATE audit_head SET size = 2", "order"),
        ("UPDATE audit_line SET details = '{\"number\": 1}' WHERE seq = 1", "changed"),
    ],
)
def test_clumsy_changes_before_any_checkpoint_are_found_by_the_kept_hashes(app, change, kind):
    write()
    tamper(change)
    assert kind in kinds()


def test_a_quote_in_a_column_cannot_shift_a_field(app):
    write()
    rehash("""UPDATE audit_line SET subject = 'T-1","verb":"note.added' WHERE seq = 1""")
    assert kinds() == {"changed"}


def test_a_tampered_record_is_not_signed(app):
    write()
    tamper(CHANGED_LINE)
    with pytest.raises(RecordTrouble, match="Line 1 is not what"):
        checkpoints.sign(actor="U-9", now=NOON)
    assert (store.latest(), verbs()[-1]) == (None, "note.added")


def test_a_record_rewritten_after_a_checkpoint_is_not_signed_again(app):
    write()
    checkpoints.sign(actor="U-9", now=NOON)
    write()
    tamper("UPDATE audit_line SET subject = 'T-9' WHERE seq = 5")
    with pytest.raises(RecordTrouble):
        checkpoints.sign(actor="U-9", now=NOON)


def test_a_checkpoint_of_somebody_else_is_not_continued(app):
    write()
    checkpoints.sign(actor="U-9", now=NOON)
    write()
    tamper("UPDATE checkpoint SET note = replace(note, 'tocsin/', 'tocsin/x')")
    with pytest.raises(RecordTrouble, match="newest checkpoint"):
        checkpoints.sign(actor="U-9", now=NOON)
    assert "foreign checkpoint" in kinds()


def test_without_its_key_the_record_is_not_signed_with_a_new_one(app, monkeypatch, tmp_path):
    write()
    checkpoints.sign(actor="U-9", now=NOON)
    write()
    monkeypatch.setattr(sealed.ring(), "folder", tmp_path)
    with pytest.raises(KeysError):
        checkpoints.sign(actor="U-9", now=NOON)
    assert list(tmp_path.glob("*.key")) == []


def test_an_installation_whose_record_was_signed_does_not_start_without_that_key(tmp_path):
    settings = Settings(instance=tmp_path / "instance", test_mode=True, base_url="http://localhost")
    key = settings.instance / "keys" / "record.key"
    with start.prepare(settings).app_context():
        assert not key.exists()
        checkpoints.sign(actor="U-9", now=NOON)
        db.session.remove()
    secret = key.read_bytes()
    key.unlink()
    with pytest.raises(KeysError, match=r"record\.key is missing"):
        start.prepare(settings)
    assert not key.exists()
    key.write_bytes(secret)
    key.chmod(0o600)
    start.prepare(settings)


def export():
    return b"".join(store.exported())


def test_the_export_is_checked_offline(app):
    write()
    checkpoints.sign(actor="U-9", now=NOON)
    outside = store.kept_outside()
    write()
    verdict = rules.verify(io.BytesIO(export()), outside)
    assert (verdict.ok, verdict.size, verdict.proven) == (True, 7, 4)
    assert "speaks of the last 3 lines" in " ".join(verdict.sentences())


def test_the_offline_check_sees_what_the_one_inside_sees(app):
    write()
    checkpoints.sign(actor="U-9", now=NOON)
    rehash(CHANGED_LINE)
    verdict = rules.verify(io.BytesIO(export()), store.kept_outside())
    assert {finding.kind for finding in verdict.findings} == {"changed"}


def test_a_checkpoint_from_elsewhere_is_compared_too(app):
    write()
    checkpoints.sign(actor="U-9", now=NOON)
    (note,) = store.kept_outside()
    assert kinds(outside=[note]) == set()
    assert kinds(outside=[note.replace("\n4\n", "\n5\n")]) == {"forged signature"}
    assert kinds(outside=["something else"]) == {"not a checkpoint"}


def test_progress_is_told_while_reading(app):
    write(7)
    assert list(store.verify(every=2)) == [2, 4, 6]


def test_the_export_holds_each_checkpoint_after_its_last_line(app):
    write()
    checkpoints.sign(actor="U-9", now=NOON)
    write(1)
    rows = [json.loads(row) for row in export().splitlines()]
    assert [next(iter(row)) for row in rows] == ["format", "actor", "actor", "actor", "actor", "checkpoint", "actor"]


def excerpt(incident):
    return b"".join(store.excerpt(store.about(incident)))


@pytest.mark.parametrize("others", [1, 2, 5, 13, 64])
def test_an_excerpt_shows_one_incident_and_is_proven_by_the_newest_checkpoint(app, others):
    with transaction("U-1", NOON) as ledger:
        for number in range(others):
            ledger.write("note.added", f"T-{number}", incident="INC-2")
    write()
    checkpoints.sign(actor="U-9", now=NOON)
    made = excerpt("INC-1")
    verdict = rules.verify(io.BytesIO(made), [store.latest().note])
    assert (verdict.ok, verdict.size, verdict.proven, verdict.hidden) == (True, others + 4, others + 4, others + 1)
    assert b"INC-2" not in made
    assert made.count(b'"INC-1"') == 3


def test_an_excerpt_can_be_compared_with_older_checkpoints(app):
    for _ in range(3):
        with transaction("U-1", NOON) as ledger:
            ledger.write("note.added", "T-9", incident="INC-2")
        checkpoints.sign(actor="U-9", now=NOON)
    older = db.session.scalar(text("SELECT note FROM checkpoint ORDER BY size LIMIT 1"))
    verdict = rules.verify(io.BytesIO(excerpt("INC-1")), [older])
    assert (verdict.ok, verdict.proven, verdict.size) == (True, 2, 6)


def test_there_is_no_excerpt_before_a_checkpoint(app):
    with pytest.raises(RecordTrouble):
        excerpt("INC-1")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("UPDATE audit_line SET actor = 'U-9' WHERE seq = 5", "Line 5 is not what was hashed"),
        ("DELETE FROM audit_line WHERE seq = 6", "Line 6 is missing; line 7 follows in its place."),
        ("UPDATE checkpoint SET note = '-' WHERE size = 4", "cannot be used"),
        ("UPDATE audit_head SET size = 3", "The record should have 3 lines and has 4."),
        ("DELETE FROM checkpoint", "The checkpoint of 4 lines in the database is not the one kept beside it."),
    ],
)
def test_a_quick_look_finds_what_was_changed_since_the_newest_checkpoint(app, change, said):
    write()
    checkpoints.sign(actor="U-9", now=NOON)
    write(4)
    assert store.troubles() == []
    tamper(change)
    assert said in " ".join(store.troubles())


@pytest.mark.parametrize("verb", ["dispatch.started", "notice.approved", "report.filed", "incident.closed"])
def test_what_matters_is_signed_at_once_and_what_only_sounds_like_it_is_not(app, verb):
    write()
    checkpoints.do("daily", NOON)
    write(1, "notice.submitted")
    write(1, "incident.reopened")
    assert checkpoints.due(NOON + timedelta(minutes=1)) == []
    write(1, verb)
    assert checkpoints.due(NOON + timedelta(minutes=1)) == ["event"]
    checkpoints.do("event", NOON + timedelta(minutes=1))
    assert checkpoints.due(NOON + timedelta(minutes=1)) == []


def test_the_line_of_a_signature_names_how_many_lines_it_covers(app):
    write(3)
    assert checkpoints.sign(actor="system", now=NOON) == 4
    last = list(audit.rows(0, 10))[-1]
    assert (last[3], last[4]) == ("checkpoint.signed", "C-4")


def test_an_incident_says_from_where_to_where_its_lines_go(app):
    assert audit.extent("INC-1") == (0, 0, 0)
    write(3)
    with transaction("U-1", NOON) as ledger:
        ledger.write("note.added", "T-9", incident="INC-2")
    write(2)
    assert audit.extent("INC-1") == (0, 5, 5)
    assert audit.extent("INC-2") == (3, 3, 1)


def test_the_newest_line_of_a_verb_is_that_of_its_actor(app):
    assert audit.last("note.added", actor="U-1") is None
    write(3)
    with transaction("U-2", NOON) as ledger:
        ledger.write("note.added", "T-9", incident="INC-1")
    found = audit.last("note.added", actor="U-1")
    assert (found.seq, found.subject) == (2, "T-2")
    assert audit.last("note.added") is None


@pytest.mark.parametrize(
    "at",
    [
        "2026-03-01T12:00:00Z",
        "\uff12026-03-01T12:00:00.000000Z",
        "2026-03-01T12:00:00.00000Z\n",
        "2026-03-01T12:00:00.00000Z",
        "",
    ],
)
def test_an_instant_of_another_form_is_found_also_where_it_was_hashed_so(app, at):
    write(2)
    db.session.connection(execution_options={"tocsin_write": True})
    store.audit.append([rules.Line("U-1", at, "note.added", "T-9", None, "{}")])
    db.session.commit()
    write(1)
    verdict = store.verified()
    assert [finding.sentence for finding in verdict.findings] == ["Line 2 holds something that no line can hold."]
    with pytest.raises(RecordTrouble, match="Line 2"):
        checkpoints.sign(actor="U-9", now=NOON)


def a_row(seq, **other):
    values = {
        "actor": "U-1",
        "at": "2026-03-01T12:00:00.000000Z",
        "verb": "note.added",
        "subject": "N-1",
        "incident": None,
    }
    line = rules.Line(**values | {"details": "{}"} | other)
    return (seq, *line, rules.leaf_hash(rules.encoded("LOG", seq, line)))


def test_a_page_of_lines_in_their_places_is_sound_at_a_glance():
    page = [a_row(7), a_row(8, incident="INC-2026-0001")]
    assert store._sound("LOG", 7, page) == [row[7] for row in page]


@pytest.mark.parametrize(
    "page",
    [
        [a_row(7), a_row(9)],
        [a_row(8), a_row(9)],
        [a_row(7, at="2026-03-01T12:00:00Z")],
        [a_row(7, at="2026-03-01T12:00:00.00000xZ")],
        [a_row(7, actor="U 1")],
        [a_row(7, verb='note"added')],
        [a_row(7, subject="N\n1")],
        [a_row(7, incident="INC 1")],
        [(*a_row(7)[:7], bytes(32))],
        [(*a_row(7)[:4], "N-2", *a_row(7)[5:])],
    ],
    ids=["gap", "place", "short instant", "no instant", "actor", "verb", "subject", "incident", "leaf", "changed"],
)
def test_a_page_with_anything_else_is_looked_at_line_by_line(page):
    assert store._sound("LOG", 7, page) == []
