"""From an approved notice to letters in the post: held back until asked for, printed once, told only when posted."""

from datetime import timedelta

import pytest

from incident.actions import dispatch, erasing, keeping, letters, sending
from incident.domain import letters as rules
from incident.domain.deliveries import Course
from incident.domain.errors import Invalid, Missing, Refused
from incident.domain.letters import Stage
from incident.store import letters as rows
from incident.store.db import db
from tests import record
from tests.actions.posts import LEAD, Post, a_post
from tests.builders import notice_row

pytestmark = pytest.mark.usefixtures("app")


@pytest.fixture
def post(tmp_path) -> Post:
    return a_post(tmp_path)


def files_in(post: Post) -> int:
    return len(list(post.folder.iterdir()))


def test_letters_wait_until_somebody_asks_for_a_batch(post):
    assert post.counts() == {"waiting": 3}
    assert sending.due(post.clock() + timedelta(days=30)) == []
    assert [(row.ref, waiting) for row, waiting in rows.to_print(post.incident.id)] == [(post.dispatch, 3)]
    assert {row.reason for row in post.rows()} == {"to_be_printed"}


def test_a_batch_holds_each_person_once_with_their_own_address(post):
    ref = post.made()
    pages = post.printed(ref)
    text = "\n".join(pages)
    assert [text.count(f"Example Street {n}\n") for n in (1, 2, 3)] == [1, 1, 1]
    for number in (1, 2, 3):
        [page] = [page for page in pages if f"Dear Person {number}," in page]
        assert f"Example Street {number}\n10117 Berlin" in page
        assert sum(f"Example Street {n}" in page for n in (1, 2, 3)) == 1
    refs = {rules.grouped(row.ref) for row in post.rows()}
    assert {ref for ref in refs if ref in text} == refs


def test_printing_tells_nobody_and_posting_hands_over(post):
    ref = post.made()
    assert post.counts() == {"accepted": 3}
    assert {(row.reason, row.called_at, row.provider_id) for row in post.rows()} == {("printed", None, ref)}
    post.work()
    assert post.row().course == Course.SENDING
    assert notice_row(post.incident, post.notice).stage == "sending"
    post.clock.move(hours=5)
    post.posted(ref)
    post.work()
    assert {(row.reason, row.called_at, row.state) for row in post.rows()} == {("posted", post.clock(), "accepted")}
    assert post.row().course == Course.DONE
    assert notice_row(post.incident, post.notice).stage == "sent"


def test_a_batch_takes_as_many_as_were_asked_for_and_the_next_one_the_others(post):
    first, second = post.made(2), post.made(2)
    assert [post.batch(ref).letters for ref in (first, second)] == [2, 1]
    held = [{one.ref for one in rows.printed(post.batch(ref).id)} for ref in (first, second)]
    assert held[0].isdisjoint(held[1])
    with pytest.raises(Refused, match="No letter"):
        post.ask()


def test_the_line_proves_each_letter_and_each_file(post):
    ref = post.made()
    [line] = [line for line in record.lines(post.incident.ref) if line.verb == "letters.printed"]
    said = record.details(line)
    batch = post.batch(ref)
    assert said["files"] == [file["sha256"] for file in batch.files]
    assert said["digest"] == rules.digest(rows.printed(batch.id)) == batch.digest
    assert (said["count"], said["pages"]) == (3, batch.pages)
    assert record.verifies()


def test_the_manifest_names_no_person_and_the_digest_of_the_very_file(post):
    ref = post.made()
    _, found = letters.manifest(post.incident.id, ref)
    table = [dict(zip(rules.MANIFEST, row, strict=True)) for row in found]
    assert [row["sequence"] for row in table] == [1, 2, 3]
    assert {row["country"] for row in table} == {"DE"}
    assert {row["reference"] for row in table} == {row.ref for row in post.rows()}
    [file] = post.batch(ref).files
    _, parts = letters.print_copy(
        post.incident.ref, ref, file["name"], folder=post.folder, actor=LEAD, now=post.clock()
    )
    assert rules.sha256(b"".join(parts)) == file["sha256"] == table[0]["file_sha256"]
    assert "Person" not in str(table)


def test_the_files_lie_sealed(post):
    post.made()
    [path] = post.folder.iterdir()
    assert path.read_bytes().startswith(b"TOCSIN-SEALED-1")
    assert b"%PDF" not in path.read_bytes()


def test_a_download_leaves_a_line_and_none_is_given_of_what_was_stopped(post):
    ref = post.made()
    post.printed(ref)
    assert record.verbs()[-1] == "letters.downloaded"
    dispatch.stop(post.incident.ref, post.dispatch, typed="0", actor=LEAD, now=post.clock())
    with pytest.raises(Refused, match="print nothing"):
        post.printed(ref)
    post.posted(ref)  # it may have gone all the same, and then that must be said
    post.printed(ref)


def test_print_files_go_when_their_time_is_over_or_somebody_in_them_is_erased(post):
    ref = post.made()
    erasing.erase_person(post.incident.ref, "P-1", folder=post.folder, actor=LEAD, now=post.clock())
    assert files_in(post) > 0  # not posted yet: the letters of the others are still needed
    post.posted(ref)
    assert f"letters:{ref}" in keeping.due(post.clock() + timedelta(days=90))
    erasing.erase_person(post.incident.ref, "P-2", folder=post.folder, actor=LEAD, now=post.clock())
    assert files_in(post) == 0
    assert keeping.due(post.clock() + timedelta(days=90)) == []
    with pytest.raises(Refused, match="was destroyed"):
        post.printed(ref)


def test_nothing_is_printed_while_the_sending_does_not_go_on(post):
    dispatch.pause(post.incident.ref, post.dispatch, actor=LEAD, now=post.clock())
    with pytest.raises(Refused, match="not going on"):
        post.ask()
    dispatch.go_on(post.incident.ref, post.dispatch, actor=LEAD, now=post.clock())
    ref = post.ask()
    dispatch.pause(post.incident.ref, post.dispatch, actor=LEAD, now=post.clock())
    post.press()
    assert (post.batch(ref).stage, files_in(post)) == (Stage.EMPTY, 0)
    assert post.counts() == {"waiting": 3}


def test_a_frozen_installation_prints_nothing(post):
    ref = post.ask()
    dispatch.freeze(actor=LEAD, now=post.clock())
    post.press()
    assert (post.batch(ref).letters, post.counts()) == (0, {"waiting": 3})
    with pytest.raises(Refused):
        post.ask()


def test_what_was_thrown_away_waits_again_under_the_same_reference(post):
    ref = post.made()
    before = {row.ref for row in post.rows()}
    with pytest.raises(Invalid):
        letters.throw_away(post.incident.ref, ref, typed="2", folder=post.folder, actor=LEAD, now=post.clock())
    count = letters.throw_away(post.incident.ref, ref, typed="3", folder=post.folder, actor=LEAD, now=post.clock())
    assert (count, post.counts(), files_in(post)) == (3, {"waiting": 3}, 0)
    assert {row.ref for row in post.rows()} == before
    with pytest.raises(Missing):
        letters.manifest(post.incident.id, ref)
    post.posted(post.made())
    post.work()
    assert post.row().course == Course.DONE


def test_a_posted_batch_is_neither_posted_again_nor_thrown_away(post):
    ref = post.made()
    post.posted(ref)
    with pytest.raises(Refused, match="posted"):
        post.posted(ref)
    with pytest.raises(Refused, match="posted"):
        letters.throw_away(post.incident.ref, ref, typed="3", folder=post.folder, actor=LEAD, now=post.clock())


def test_of_a_stopped_sending_what_is_thrown_away_is_cancelled(post):
    ref = post.made(2)
    dispatch.stop(post.incident.ref, post.dispatch, typed="1", actor=LEAD, now=post.clock())
    letters.throw_away(post.incident.ref, ref, typed="2", folder=post.folder, actor=LEAD, now=post.clock())
    assert post.counts() == {"cancelled": 3}


def test_a_name_in_letters_that_no_font_has_is_refused_and_stays_with_a_person(tmp_path):
    post = a_post(tmp_path, 1, name="김민수")
    ref = post.made()
    assert post.counts() == {"failed": 1}
    assert {row.reason for row in post.rows()} == {"letter_not_in_fonts"}
    assert (post.batch(ref).stage, files_in(post)) == (Stage.EMPTY, 0)


def test_a_worker_that_dies_while_printing_leaves_no_letter_and_no_doubt(post, monkeypatch):
    ref = post.ask()

    def die(*_args, **_more):
        raise KeyboardInterrupt

    monkeypatch.setattr("incident.actions.letters.Pressing._settle", die)
    with pytest.raises(KeyboardInterrupt):
        post.press()
    monkeypatch.undo()
    db.session.rollback()
    assert post.counts() == {"sending": 3}
    post.clock.move(seconds=61)
    post.press()
    assert post.counts() == {"accepted": 3}
    assert (post.batch(ref).letters, files_in(post)) == (3, 1)
    assert "deliveries.in_doubt" not in record.verbs()
    assert "deliveries.returned" in record.verbs()


def test_a_worker_that_was_taken_over_keeps_nothing(post, monkeypatch):
    ref = post.ask()
    original = letters.Pressing._settle

    def settle_late(wave, *given):
        post.clock.move(seconds=61)
        sending.take_over(post.row(), now=post.clock())
        return original(wave, *given)

    monkeypatch.setattr(letters.Pressing, "_settle", settle_late)
    with pytest.raises(RuntimeError, match="nothing of this one"):
        post.press()
    monkeypatch.undo()
    db.session.rollback()
    assert (post.counts(), files_in(post), post.batch(ref).stage) == ({"waiting": 3}, 0, Stage.ASKED)
    post.press()
    assert post.counts() == {"accepted": 3}


def test_letters_abroad_name_the_country_and_those_at_home_do_not(tmp_path):
    at_home = a_post(tmp_path, 1, address="Example Street 1\n10117 Berlin\nGermany")
    assert "Germany" not in "\n".join(at_home.printed(at_home.made()))
    abroad = a_post(tmp_path, 1, address="Ring 1\n1010 Wien\nÖsterreich", place="AT")
    [page] = [page for page in abroad.printed(abroad.made()) if page.strip()]
    assert "1010 Wien\nAUSTRIA" in page


def test_a_batch_of_another_incident_is_not_found(post, tmp_path):
    other = a_post(tmp_path, 1)
    ref = post.made()
    with pytest.raises(Missing):
        other.posted(ref)
    with pytest.raises(Missing):
        letters.ask(other.incident.ref, post.dispatch, most=1, actor=LEAD, now=post.clock())


def test_a_child_s_letter_goes_to_the_parents_and_one_of_the_dead_to_the_next_of_kin(tmp_path):
    child = a_post(tmp_path, 1, age="under_13")
    [page] = [page for page in child.printed(child.made()) if page.strip()]
    assert "To the parents or guardian of\nPerson 1\nExample Street 1" in page
    assert "Dear parents or guardian of Person 1," in page
    dead = a_post(tmp_path, 1, deceased="yes")
    [page] = [page for page in dead.printed(dead.made()) if page.strip()]
    assert "To the next of kin of\nPerson 1\nExample Street 1" in page
    assert "Dear next of kin of Person 1," in page


def test_no_letter_is_printed_for_somebody_at_risk_at_home(tmp_path):
    post = a_post(tmp_path, 1, no_letter="yes")
    assert post.counts() == {"unreached": 1}
    assert post.row().course == Course.DONE


@pytest.mark.parametrize("address", ["A 1\nB 2\nC 3\nD 4\nE 5\nF 6\n10117 Berlin", "n" * 90 + "\n10117 Berlin"])
def test_an_address_that_would_not_show_in_the_window_is_not_printed(tmp_path, address):
    post = a_post(tmp_path, 1, address=address)
    post.made()
    assert post.counts() == {"failed": 1}
    assert {row.reason for row in post.rows()} == {"address_too_long"}


def test_a_stopped_sending_is_not_complete_while_letters_of_it_may_still_be_posted(post):
    ref = post.made()
    dispatch.stop(post.incident.ref, post.dispatch, typed="0", actor=LEAD, now=post.clock())
    assert rows.unposted(post.row().id) == 1
    post.posted(ref)
    assert rows.unposted(post.row().id) == 0
