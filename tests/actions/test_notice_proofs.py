"""The proof of notice: whole, bound to the record, telling nothing of others, found out when touched."""

import io
import json
import zipfile
from zoneinfo import ZoneInfo

import pytest

from incident.actions import checkpoints as signing
from incident.actions import correcting, erasing, notice_proofs, preparing, reported, sending
from incident.actions.throttled import TooMany
from incident.domain import audit
from incident.domain.errors import Missing, Refused
from incident.domain.verbs import VERBS
from incident.store import checkpoints
from incident.store.db import db
from notifiers.contract import Event, Outcome, Status
from notifiers.memory import Memory
from tests.actions.waves import LEAD, NOW, a_story, answering
from tests.record import lines, verbs


@pytest.fixture(autouse=True)
def _own_folder(app, tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoints, "folder", lambda: tmp_path / "checkpoints")


def made(story, person="P-2", actor=LEAD):
    return notice_proofs.make(
        story.incident.ref, person, author="Example Ltd", zone=ZoneInfo("UTC"), actor=actor, clock=story.clock
    )


def inside(raw):
    with zipfile.ZipFile(io.BytesIO(raw)) as proof:
        return {name: proof.read(name) for name in proof.namelist()}


def data(raw):
    return json.loads(inside(raw)["proof.json"])


def verdict(raw, outside=()):
    return audit.verify_bundle(io.BytesIO(raw), outside)


def told(count=5, **how):
    story = a_story(count, **how)
    story.start()
    story.work()
    return story


def whats(raw, place=0):
    return [step["what"] for step in data(raw)["deliveries"][place]["steps"]]


def report(story, status, *numbers):
    rows = {row.person_number: row for row in story.rows()}
    events = [
        Event(f"e-{status}-{number}", status, rows[number].ref, f"memory-{rows[number].ref}", story.clock())
        for number in numbers
    ]
    reported.take_in("memory", "email", events, now=story.clock())


def test_each_step_of_a_delivery_is_shown_by_its_line_and_proven_by_a_checkpoint_kept_elsewhere():
    story = told()
    story.clock.move(seconds=5)
    report(story, Status.DELIVERED, 1, 2, 4)
    raw = made(story)
    found = verdict(raw, [checkpoints.latest().note])
    assert (found.findings, found.person, found.proven) == ([], "P-2", found.size)
    assert whats(raw) == ["listed", "handed over", "settled", "reported"]
    assert [sentence.partition(" (line ")[0].rpartition(": ")[2] for sentence in found.shows[2:]] == [
        "accepted",
        "delivered",
    ]
    assert found.shows_not == []


def test_it_holds_the_text_and_the_reports_and_the_address_as_a_digest_alone():
    story = told()
    report(story, Status.DELIVERED, 2)
    raw = made(story)
    [one] = data(raw)["deliveries"]
    sent = next(message for message in story.real["email"].sent if message.to == "person2@example.org")
    assert (one["text"]["subject"], one["text"]["text"], one["text"]["html"]) == (sent.subject, sent.text, sent.html)
    assert one["address"]["sha256"] == audit.addressed(one["address"]["salt"], "person2@example.org")
    assert [(event["status"], event["provider"]) for event in one["events"]] == [("delivered", "memory")]
    assert inside(raw)["proof.pdf"].startswith(b"%PDF")
    everything = b"".join(inside(raw).values())
    assert b"person2@example.org" not in everything


def test_it_reveals_nobody_else():
    story = told()
    report(story, Status.DELIVERED, 1, 2, 3)
    raw = made(story)
    everything = b"".join(inside(raw).values())
    for row in story.rows():
        if row.person_number != 2:
            assert row.ref.encode() not in everything
            assert f"Person {row.person_number}".encode() not in everything
            assert f'"P-{row.person_number}"'.encode() not in everything


def test_whoever_knows_the_address_can_have_it_compared(tmp_path, capsys):
    story = told()
    file = tmp_path / "proof.zip"
    file.write_bytes(made(story))
    ref = data(file.read_bytes())["deliveries"][0]["ref"]
    assert audit.main([str(file), "--address", "person2@example.org", "--address", "person3@example.org"]) == 0
    said = capsys.readouterr().out
    assert f"Address 'person2@example.org': {ref}." in said
    assert "Address 'person3@example.org': none of these deliveries went there." in said


def test_in_a_batch_with_different_answers_each_still_has_its_own_proof():
    story = told(
        real={"email": Memory("email", answer=answering(Outcome.REFUSED, "blocked", to="person2@example.org"))}
    )
    assert data(made(story))["deliveries"][0]["state"] == "failed"
    for number in range(1, 6):
        raw = made(story, f"P-{number}")
        assert (verdict(raw).findings, verdict(raw).shows_not) == ([], [])
        assert "settled" in whats(raw)


def test_who_had_to_wait_and_was_claimed_again_leaves_the_others_their_proof():
    wait = answering(Outcome.LATER, "busy", to="person2@example.org")
    email = Memory("email", answer=wait)
    story = told(real={"email": email})
    email.answer = answering(Outcome.ACCEPTED)
    story.clock.move(hours=2)
    story.work()
    for number in (1, 2, 3):
        raw = made(story, f"P-{number}")
        assert whats(raw) == ["listed", "handed over", "settled"], number
        assert verdict(raw).shows_not == []


def test_the_next_channel_is_bound_to_the_attempt_before_it():
    story = told(
        3, both=3, real={"email": Memory("email", answer=answering(Outcome.REFUSED, "blocked")), "sms": Memory("sms")}
    )
    raw = made(story)
    assert [one["channel"] for one in data(raw)["deliveries"]] == ["email", "sms"]
    assert whats(raw, 1)[0] == "followed"
    assert (verdict(raw).findings, verdict(raw).shows_not) == ([], [])


def test_a_batch_from_before_says_plainly_that_it_cannot_be_shown():
    story = told()
    db.session.rollback()
    db.session.execute(db.text("UPDATE delivery_claim SET first_id = NULL, last_id = NULL"))
    db.session.commit()
    raw = made(story)
    assert whats(raw) == ["listed"]
    assert [" is about it, but it is from before " in sentence for sentence in verdict(raw).shows_not] == [True, True]
    assert verdict(raw).ok


def test_the_text_is_that_of_the_record_as_it_stood_when_it_was_sent():
    story = told()
    story.clock.move(hours=1)
    correcting.correct(
        story.incident.ref,
        "P-2",
        {"name": "Somebody Else", "email": "other@example.org"},
        reason="wrong",
        version=1,
        actor=LEAD,
        now=story.clock(),
    )
    raw = made(story)
    [one] = data(raw)["deliveries"]
    assert "Somebody Else" not in one["text"]["text"]
    assert one["address"]["sha256"] == audit.addressed(one["address"]["salt"], "person2@example.org")
    assert b'"person.corrected"' in inside(raw)[audit.EXCERPT]


def test_after_erasure_the_steps_are_still_shown_and_text_and_address_are_gone(tmp_path):
    story = told()
    erasing.erase_person(story.incident.ref, "P-2", folder=tmp_path, actor=LEAD, now=story.clock())
    raw = made(story)
    [one] = data(raw)["deliveries"]
    assert (one["text"], one["address"]) == (None, None)
    assert whats(raw) == ["listed", "handed over", "settled"]
    assert any("erased" in sentence for sentence in one["not_shown"])


def test_who_was_told_nothing_has_no_proof_and_strangers_neither():
    story = a_story(2)
    before = len(lines())
    with pytest.raises(Refused, match="nothing to prove"):
        made(story)
    with pytest.raises(Missing):
        made(story, "P-99")
    assert len(lines()) == before


def test_making_one_leaves_a_line_and_has_a_limit():
    story = told()
    made(story)
    assert verbs()[-2:] == ["person.proof_made", "checkpoint.signed"]
    assert "person.proof_made" in VERBS
    for _ in range(29):
        notice_proofs.take(notice_proofs.LIMIT, LEAD, now=NOW)
    with pytest.raises(TooMany):
        made(story)
    made(story, actor="cli")
    story.clock.move(hours=3)
    made(story)


def changed(raw, path, before, after):
    """The same proof with other bytes in one file, its list made to fit."""
    files = inside(raw)
    assert before in files[path]
    files[path] = files[path].replace(before, after, 1)
    return repacked(files)


def repacked(files, drop=()):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name, content in files.items():
            if name not in drop:
                new.writestr(name, content)
    return out.getvalue()


def resigned(story, files, before, after):
    """A proof whose proof.json was changed by somebody who then has the record speak of it: only the steps contradict."""
    text = files["proof.json"]
    assert before in text
    files = files | {"proof.json": text.replace(before, after, 1)}
    value = json.loads(files["manifest.json"])
    for one in value["files"]:
        content = files[one["path"]]
        one |= {"bytes": len(content), "sha256": audit.sha256(content).hexdigest()}
    manifest = audit.canonical(value).encode()
    about = {"files": len(value["files"]), "manifest": audit.sha256(manifest).hexdigest()}
    with notice_proofs.transaction(LEAD, story.clock()) as ledger:
        ledger.write(audit.PROVED, "P-2", incident=story.incident.ref, **about)
    signing.sign(actor=LEAD, now=story.clock())
    shown = {step["line"] for one in json.loads(text)["deliveries"] for step in one["steps"]}
    excerpt = b"".join(
        checkpoints.excerpt(
            lambda row: row[0] in shown or (row[3] == audit.PROVED and audit.canonical(about) == row[6])
        )
    )
    return repacked(files | {"manifest.json": manifest, audit.EXCERPT: excerpt})


def kinds(raw):
    return {finding.kind for finding in verdict(raw).findings}


def test_each_way_to_touch_a_proof_is_named():
    story = told()
    raw = made(story)
    files = inside(raw)
    assert kinds(repacked(files)) == set()
    assert kinds(changed(raw, "proof.json", b'"state":"accepted"', b'"state":"delivered"')) == {"changed file"}
    assert kinds(changed(raw, "proof.pdf", b"%PDF", b"%PDG")) == {"changed file"}
    assert kinds(changed(raw, "manifest.json", b'"made_at":"2026', b'"made_at":"2027')) == {"changed file"}
    assert kinds(repacked(files | {"more.txt": b""})) == {"extra file"}
    assert kinds(repacked(files, drop={"proof.json"})) == {"not a bundle"}
    assert "changed" in kinds(changed(raw, audit.EXCERPT, LEAD.encode(), b"U-00000000"))


def test_a_step_that_its_line_does_not_show_is_found_even_if_the_record_speaks_of_the_file():
    story = told()
    files = inside(made(story))
    ref = data(repacked(files))["deliveries"][0]["ref"].encode()
    assert kinds(resigned(story, files, b'"person":"P-2"', b'"person":"P-2"')) == set()
    for before, after in (
        (ref + b" accepted", ref + b" delivered"),
        (ref + b" P-2", ref + b" P-3"),
        (b'"index":1', b'"index":2'),
        (b'"size":5', b'"size":6'),
        (b'"what":"settled"', b'"what":"reported"'),
        (b'"ref":"' + ref, b'"ref":"7' + ref[1:]),
        (b'"sending":"', b'"sending":"X'),
    ):
        assert kinds(resigned(story, files, before, after)) == {"not in line"}, before
    assert kinds(resigned(story, files, b'"person":"P-2"', b'"person":"P-4"')) == {"changed file", "not in line"}


def test_a_rehearsal_says_that_nobody_was_told():
    story = a_story(3, kind="drill")
    story.start()
    story.work()
    raw = made(story)
    assert data(raw)["deliveries"][0]["simulated"] is True
    assert verdict(raw).ok


def test_a_batch_that_a_dead_worker_left_is_shown_as_in_doubt():
    story = a_story(4)
    story.start()
    preparing.prepare(story.dispatch, story.channels.open(simulated=False), now=story.clock())
    while preparing.prepare(story.dispatch, story.channels.open(simulated=False), now=story.clock()):
        pass
    wave = sending.Wave(story.dispatch, story.channels.open(simulated=False), story.clock)
    flow = sending.Flow(story.real["email"])
    held = wave._claim(story.row(), "email", 100)
    assert wave._begin(wave._written(story.row(), held)), flow
    story.clock.move(minutes=5)
    preparing.take_over(story.row(), now=story.clock())
    raw = made(story)
    assert whats(raw) == ["listed", "handed over", "in doubt"]
    assert (verdict(raw).findings, verdict(raw).shows_not) == ([], [])
