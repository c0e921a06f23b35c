"""Reports from outside: taken in once, opened by their code alone, sealed under a key of their own."""

import io
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from incident.actions import erasing, keeping, rotating, tip_triage, tips
from incident.actions.tips import Upload
from incident.domain import team_mails as team_words
from incident.domain.access import Role
from incident.domain.errors import Refused
from incident.domain.tips import LARGEST_FILE, MOST_MESSAGES, Kind, Seen, Unfit
from incident.store import files
from incident.store import tips as rows
from incident.store.db import db
from incident.store.sealed import Erased
from tests import record
from tests.builders import a_user
from tests.tips import a_report, the_tip

NOW = datetime(2026, 3, 6, 16, tzinfo=UTC)


@pytest.fixture
def folder(tmp_path):
    place = tmp_path / "files"
    place.mkdir()
    return place


def test_a_report_opens_by_its_code_and_no_other(app, tmp_path):
    received = a_report(folder=tmp_path, now=NOW, where="https://paste.example/1")
    found = tips.conversation(tips.opened_by(received.code))
    assert (found.said["what"], found.seen, found.kind) == ("Unspoken words of a stranger", Seen.RECEIVED, "leak")
    other = a_report(folder=tmp_path, now=NOW)
    assert other.code != received.code
    for wrong in ("", "x", received.code[:-1], received.code[::-1], received.ref, "0" * 25, "é" * 25, other.code[:-1]):
        assert tips.conversation(tips.opened_by(wrong)) is None


@pytest.mark.parametrize(
    "typed",
    [
        str.lower,
        lambda code: f" {code.replace('-', ' ')} ",
        lambda code: code.replace("-", ""),
        lambda code: code.replace("0", "O"),
    ],
)
def test_a_code_opens_as_people_type_it(app, tmp_path, typed):
    received = a_report(folder=tmp_path, now=NOW)
    assert tips.conversation(tips.opened_by(typed(received.code))) is not None


def test_neither_code_nor_words_stand_in_the_database(app, tmp_path):
    received = a_report(folder=tmp_path, now=NOW, who="Jo Unspoken", email="jo@example.org", uploads=(a_file(),))
    tips.add(tips.opened_by(received.code), "Unspoken answer", form="f", now=NOW)
    for table in ("tip", "tip_message", "tip_file", "audit_line", "data_key"):
        for row in db.session.execute(text(f"SELECT * FROM {table}")).mappings():
            for value in row.values():
                raw = value if isinstance(value, bytes) else str(value).encode()
                for secret in (
                    received.code.encode(),
                    received.code.replace("-", "").encode(),
                    b"nspoken",
                    b"jo@example",
                    b"shot.png",
                ):
                    assert secret not in raw, (table, secret)


def a_file(content=b"bytes of a picture", name="C:\\pictures\\shot.png"):
    return Upload(name, io.BytesIO(content))


def test_files_are_sealed_in_the_folder_and_open_by_the_reports_key_alone(app, tmp_path):
    received = a_report(folder=tmp_path, now=NOW, uploads=(a_file(),))
    other = a_report(folder=tmp_path, now=NOW)
    [row] = rows.files(the_tip(received.ref))
    path = tmp_path / row.stored_as
    assert b"picture" not in path.read_bytes()
    assert b"".join(files.pieces(path, rows.key_of(the_tip(received.ref)), row.stored_as)) == b"bytes of a picture"
    assert rows.names(the_tip(received.ref), [row]) == ["shot.png"]
    with pytest.raises(Refused):
        list(files.pieces(path, rows.key_of(the_tip(other.ref)), row.stored_as))


@pytest.mark.parametrize("uploads", [(LARGEST_FILE + 1,), (1,) * 6])
def test_files_beyond_the_limits_are_refused_and_leave_nothing(app, tmp_path, uploads):
    before = len(record.lines())
    with pytest.raises(Unfit) as refusal:
        a_report(folder=tmp_path, uploads=tuple(a_file(b"x" * size) for size in uploads))
    assert refusal.value.code == "files"
    assert (list(tmp_path.iterdir()), len(record.lines())) == ([], before)
    assert db.session.scalar(text("SELECT count(*) FROM tip")) == 0


def test_a_form_sent_twice_is_one_report_with_the_same_code(app, tmp_path):
    first = a_report(folder=tmp_path, form="F" * 26, now=NOW, uploads=(a_file(),))
    second = a_report(folder=tmp_path, form="F" * 26, now=NOW + timedelta(minutes=1), uploads=(a_file(),))
    late = a_report(folder=tmp_path, form="F" * 26, now=NOW + timedelta(hours=1))
    assert (second.ref, second.code, second.again) == (first.ref, first.code, True)
    assert (late.ref, late.code) == (first.ref, "")
    assert len(list(tmp_path.iterdir())) == 1


def test_what_is_added_waits_for_us_once(app, tmp_path):
    received = a_report(folder=tmp_path, now=NOW)
    key = tips.opened_by(received.code)
    for _ in range(2):
        assert tips.add(key, "And one more thing", form="once", now=NOW)
    found = tips.conversation(key)
    assert [(one.by_us, one.text) for one in found.messages] == [(False, "And one more thing")]
    assert the_tip(received.ref).waits
    assert [line.verb for line in record.lines()][-2:] == ["tip.received", "tip.added_to"]


def test_nobody_adds_to_what_their_code_does_not_open(app, tmp_path):
    before = len(record.lines())
    assert not tips.add(tips.opened_by("0" * 25), "words", form="f", now=NOW)
    assert len(record.lines()) == before


def test_a_report_takes_so_many_messages_and_no_more(app, tmp_path):
    received = a_report(folder=tmp_path, now=NOW)
    key = tips.opened_by(received.code)
    db.session.rollback()
    tip = the_tip(received.ref)
    box = rows.seal_words(tip, "TM-X", "x")
    db.session.rollback()
    with db.engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO tip_message (tip_id, ref, way, written_by, written_at, sealed) "
                "VALUES (:tip, :ref, 'page', 'public', '2026-03-06 16:00:00', :box)"
            ),
            [{"tip": tip.id, "ref": f"TM-{n}", "box": box} for n in range(MOST_MESSAGES)],
        )
    with pytest.raises(Refused, match="new report"):
        tips.add(key, "one more", form="f", now=NOW)


def test_a_report_whose_key_was_destroyed_answers_as_one_that_never_was(app, tmp_path):
    received = a_report(folder=tmp_path, now=NOW)
    with db.engine.begin() as connection:
        connection.execute(text("UPDATE data_key SET sealing = NULL, marking = NULL WHERE owner < 0"))
    db.session.rollback()
    assert tips.conversation(tips.opened_by(received.code)) is None
    assert not tips.add(tips.opened_by(received.code), "words", form="f", now=NOW)


def test_a_tag_in_a_subject_cannot_be_made_up(app, tmp_path):
    received = a_report(folder=tmp_path, kind=Kind.OTHER, now=NOW)
    tag = tips.tag_for(received.ref)
    assert tips.is_tag(received.ref, tag.rpartition("-")[2])
    assert not tips.is_tag(received.ref, "00000000")
    assert not tips.is_tag("TIP-00000000", tag.rpartition("-")[2])


# how long they are kept


def settled(ref, now=NOW):
    tip_triage.set_aside(ref, "unwanted", actor="U-0LEAD000", now=now)


def test_a_settled_report_goes_after_its_time_and_its_code_opens_nothing(app, folder):
    received = a_report(folder=folder, now=NOW, uploads=(a_file(),))
    other = a_report(folder=folder, now=NOW)
    settled(received.ref)
    late = NOW + timedelta(days=366)
    assert keeping.due(NOW + timedelta(days=364)) == []
    assert keeping.due(late) == [f"tip:{received.ref}"]
    keeping.do(f"tip:{received.ref}", late, folder)
    assert tips.conversation(tips.opened_by(received.code)) is None
    assert tips.conversation(tips.opened_by(other.code)) is not None
    with pytest.raises(Erased):
        tip_triage.read(received.ref, actor="U-0LEAD000", now=late)
    assert keeping.due(late) == []
    assert "tip.erased" in record.verbs()
    assert [path.name for path in folder.iterdir() if path.is_file()] == []


def test_a_report_goes_with_the_incident_it_belongs_to_also_after_a_restore(app, folder):
    received = a_report(folder=folder, now=NOW, uploads=(a_file(),))
    case = tip_triage.become(received.ref, "A leak", [], near_miss=False, house=None, actor="U-0LEAD000", now=NOW)
    db.session.rollback()
    with db.engine.connect() as connection:
        before = connection.execute(text("SELECT sealing, marking FROM data_key WHERE owner < 0")).one()
    assert keeping.due(NOW + timedelta(days=9_999)) == []
    erasing.erase_incident(case, confirm=case, folder=folder, actor="U-0LEAD000", now=NOW)
    assert tips.conversation(tips.opened_by(received.code)) is None
    assert [path for path in folder.iterdir() if path.is_file()] == []
    db.session.rollback()
    with db.engine.begin() as connection:  # as an older copy of the database has it
        connection.execute(
            text("UPDATE data_key SET sealing = :sealing, marking = :marking WHERE owner < 0"), dict(before._mapping)
        )
    db.session.expire_all()
    with pytest.raises(Erased):
        tip_triage.read(received.ref, actor="U-0LEAD000", now=NOW)
    erasing.erase_again(folder=folder, actor="system", now=NOW)
    db.session.rollback()
    assert db.session.scalar(text("SELECT count(*) FROM data_key WHERE owner < 0 AND sealing IS NOT NULL")) == 0


def test_a_new_master_key_wraps_the_keys_of_reports_too(app, folder):
    received = a_report(folder=folder, now=NOW)
    rotating.rotate_keys(drop_old=False, actor="system", now=NOW)
    assert "report" in {line.subject for line in record.lines() if line.verb == "keys.rewrapped"}
    db.session.expire_all()
    assert tips.conversation(tips.opened_by(received.code)) is not None


# who is told


def mails():
    return db.session.execute(text("SELECT kind, about FROM team_mail")).all()


def test_all_leads_are_told_of_a_report_and_once_of_a_flood(app, folder):
    a_user(Role.LEAD)
    a_user(Role.LEAD, Role.PRIVACY)
    a_user(Role.RESPONDER)
    first = a_report(folder=folder, now=NOW)
    for minutes in range(1, 15):
        a_report(folder=folder, now=NOW + timedelta(minutes=minutes))
    told = mails()
    a_report(folder=folder, now=NOW + timedelta(minutes=16))
    assert (len(told), len(mails())) == (2, 4)
    assert all(first.ref in str(about) and kind == "reported" for kind, about in told)
    subject, words = team_words.words(
        team_words.Kind.REPORTED, {"tip": first.ref, "about": "leak", "minutes": 15}, site="http://x"
    )
    assert f"http://x/reported/{first.ref}" in words
    assert "Unspoken" not in subject + words
