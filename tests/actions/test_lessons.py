"""A lesson: proposed, accepted by a second person, adopted so that the installation goes by it, or declined with a reason."""

import json

import pytest
from sqlalchemy import text

from incident import clock
from incident.actions import lessons, plans, policies
from incident.domain import editions, starters
from incident.domain import plans as playbooks
from incident.domain.access import Role
from incident.domain.answers import Truth
from incident.domain.errors import Invalid, Missing, Refused
from incident.domain.facts import Facts
from incident.domain.separation import Policy
from incident.store import lessons as rows
from incident.store import own
from incident.store import plans as plan_rows
from incident.store.db import db
from tests.builders import a_user, an_incident
from tests.domain.test_editions import a_law
from tests.own_things import things_of
from tests.record import lines

STEP = {
    "title": "Nobody called the bank",
    "why": "Payments went on for two days.",
    "kind": "playbook",
    "book": "phishing",
    "step_title": "Call the bank",
    "phase": "stop_loss",
    "detail": "Have payments stopped.",
    "role": "responder",
    "hours": "4",
}
TEXT = {"title": "Say it first", "why": "People asked.", "kind": "text", "language": "en", "part": "subject"}
PRACTICE = {"title": "A list on paper", "why": "The phones were down.", "kind": "practice"}
OWN_LAW = {"title": "Tell the bank", "why": "The contract says so.", "kind": "law", "file": "our-bank.toml"}


@pytest.fixture(autouse=True)
def own_folder(built):
    """The process goes by the folder of this application, and what a test adopts is gone for the next one."""
    with things_of(built.folder):
        yield


def said(verb):
    return [line for line in lines() if line.verb == verb]


def proposed(incident, given=STEP, by="U-0PROPOSER", **more):
    return lessons.propose(incident.ref, {**given, **more}, actor=by, now=clock.now())


def accepted(ref, by="U-0SECOND00"):
    lessons.accept(ref, actor=by, now=clock.now())
    return ref


def adopt(ref, **more):
    lessons.adopt(ref, actor="U-0SECOND00", now=clock.now(), **more)


def test_an_adopted_step_is_in_the_next_plan_and_says_which_incident_taught_it(app):
    taught = an_incident()
    ref = accepted(proposed(taught))
    assert "call_the_bank" not in {step.key for step in playbooks.playbooks()["phishing"].steps}
    adopt(ref)
    [step] = [one for one in playbooks.playbooks()["phishing"].steps if one.key == "call_the_bank"]
    assert step.lesson == ref
    later = an_incident()
    plans.activate(later.ref, "phishing", actor=a_user(Role.LEAD).ref, now=clock.now())
    assert "Call the bank" in {row.title for row in plan_rows.steps(later.id)}
    row = rows.by_ref(ref)
    assert (row.state, row.adopted_by, row.target) == ("adopted", "U-0SECOND00", "phishing/call_the_bank")
    [line] = said("lesson.adopted")
    assert (line.incident, json.loads(line.details)["target"]) == (taught.ref, "phishing/call_the_bank")


def test_a_changed_step_shows_what_stood_there_before(app):
    step = playbooks.shipped()["phishing"].steps[0]
    book = "common" if step.shared else "phishing"
    row = rows.by_ref(proposed(an_incident(), book=book, step=step.key))
    assert f"Step: {step.title}" in row.before
    assert "Step: Call the bank" in lessons.shown_after(row)
    adopt(accepted(row.ref))
    changed = next(one for one in playbooks.playbooks()["phishing"].steps if one.key == step.key)
    assert (changed.title, changed.when) == ("Call the bank", step.when)


def test_a_lesson_changes_when_a_step_is_needed_and_the_next_plan_goes_by_it(app):
    key = next(step.key for step in playbooks.shipped()["phishing"].steps if step.when and not step.shared)
    row = rows.by_ref(proposed(an_incident(), step=key, needed_when='exfiltration = ["confirmed", "published"]\r\n'))
    assert 'Needed when: exfiltration = ["confirmed", "published"]' in lessons.shown_after(row)
    adopt(accepted(row.ref))
    changed = next(one for one in playbooks.playbooks()["phishing"].steps if one.key == key)
    assert changed.when == {"exfiltration": ["confirmed", "published"]}
    assert playbooks.needed(changed.when, Facts({"exfiltration": "confirmed"}))[0] is Truth.YES
    assert playbooks.needed(changed.when, Facts({"exfiltration": "none_confirmed"}))[0] is Truth.NO


def test_condition_clock_and_proof_of_a_step_can_be_taken_away(app):
    step = next(one for one in playbooks.shipped()["phishing"].steps if one.due and one.evidence and not one.shared)
    first = proposed(an_incident(), step=step.key, hours="3", evidence="A receipt", needed_when={"malicious": True})
    adopt(accepted(first))
    adopt(accepted(proposed(an_incident(), step=step.key, hours="", evidence="", needed_when="")))
    bare = next(one for one in playbooks.playbooks()["phishing"].steps if one.key == step.key)
    assert (bare.when, bare.due, bare.evidence) == ({}, None, "")


@pytest.mark.parametrize(
    "when",
    ["malicious", "no_such_fact = true", "{ malicious = true", "x = " + "[" * 1_500, {"any": []}, "a = " + "1" * 3_000],
)
def test_a_condition_that_nobody_could_follow_is_refused_at_its_field(app, when):
    with pytest.raises(Invalid) as refused:
        proposed(an_incident(), needed_when=when)
    assert refused.value.field == "needed_when"


def test_who_proposes_cannot_say_the_second_yes_unless_it_is_set_so(app):
    ref = proposed(an_incident())
    with pytest.raises(Refused, match="somebody else"):
        accepted(ref, by="U-0PROPOSER")
    with pytest.raises(Refused, match="second person"):
        adopt(ref)
    policies.take_up(Policy(lessons_by_two=False), actor="system", now=clock.now())
    lessons.adopt(ref, actor="U-0PROPOSER", now=clock.now())
    assert rows.by_ref(ref).state == "adopted"


def test_an_adopted_text_is_what_the_next_notice_begins_with(app):
    ref = accepted(proposed(an_incident(), TEXT, text="Your data were stolen from us"))
    adopt(ref)
    assert starters.text("en").subject == "Your data were stolen from us"
    row = rows.by_ref(ref)
    assert row.before != row.after == "Your data were stolen from us"


def test_over_words_that_changed_meanwhile_nothing_is_adopted(app, built):
    first, second = (proposed(an_incident(), TEXT, text=words) for words in ("One thing", "Another thing"))
    adopt(accepted(first))
    with pytest.raises(Refused, match="changed by somebody since"):
        adopt(accepted(second))
    assert starters.text("en").subject == "One thing"
    assert rows.by_ref(second).state == "accepted"


def test_one_whose_file_was_written_before_a_crash_is_adopted_the_second_time(app, built):
    ref = accepted(proposed(an_incident(), TEXT, text="Written, and then the power failed"))
    own.put_text(built.folder, "en", "subject", "Written, and then the power failed")
    adopt(ref)
    assert rows.by_ref(ref).state == "adopted"


def test_a_law_file_that_could_not_be_used_is_not_even_proposed(app):
    with pytest.raises(Invalid) as refused:
        proposed(an_incident(), OWN_LAW, text='id = "OWN-BANK"')
    assert refused.value.field == "text"
    with pytest.raises(Invalid) as refused:
        proposed(an_incident(), OWN_LAW, file="../keys.toml", text="x")
    assert refused.value.field == "file"


def test_an_adopted_law_is_in_the_library_of_this_installation(app):
    law = a_law(id_="OWN-BANK", more='kind = "contract"', hours=24)
    ref = accepted(proposed(an_incident(), OWN_LAW, text=law))
    assert "OWN-BANK" not in editions.current().book
    adopt(ref)
    assert "OWN-BANK" in editions.current().book
    assert editions.current().mistakes == ()


def test_a_lesson_of_practice_is_adopted_with_what_was_done(app):
    ref = accepted(proposed(an_incident(), PRACTICE))
    with pytest.raises(Invalid, match="what is done otherwise"):
        adopt(ref)
    adopt(ref, note="The list hangs in the night office.")
    assert rows.by_ref(ref).reason == "The list hangs in the night office."


def test_a_declined_lesson_keeps_its_reason_and_is_not_adopted_any_more(app):
    ref = proposed(an_incident())
    with pytest.raises(Invalid):
        lessons.decline(ref, reason=" ", actor="U-0SECOND00", now=clock.now())
    lessons.decline(ref, reason="The bank is called by the treasury.", actor="U-0SECOND00", now=clock.now())
    assert rows.by_ref(ref).reason == "The bank is called by the treasury."
    for act in (accepted, adopt):
        with pytest.raises(Refused):
            act(ref)
    assert said("lesson.adopted") == []


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"title": ""}, "title"),
        ({"title": "x" * 201}, "title"),
        ({"why": ""}, "why"),
        ({"kind": "colour"}, "kind"),
        ({"book": "gardening"}, "book"),
        ({"step": "no_such_step"}, "step"),
        ({"detail": ""}, "detail"),
        ({"owner": "U-NOBODY"}, "owner"),
    ],
)
def test_what_cannot_be_proposed_is_refused_at_its_field_and_nothing_is_kept(app, given, field):
    incident = an_incident()
    with pytest.raises(Invalid) as refused:
        proposed(incident, **given)
    assert refused.value.field == field
    assert rows.of_incident(incident.id) == []


def test_the_same_step_again_is_no_lesson(app):
    adopt(accepted(proposed(an_incident())))
    with pytest.raises(Invalid, match="already"):
        proposed(an_incident(), step="call_the_bank")
    with pytest.raises(Invalid, match="already"):
        proposed(an_incident())


def test_a_folder_that_cannot_be_written_changes_nothing(app, built):
    ref = accepted(proposed(an_incident()))
    (built.folder / "playbooks").rename(built.folder / "elsewhere")
    (built.folder / "playbooks").write_text("in the way")
    try:
        with pytest.raises(Refused, match="cannot be written"):
            adopt(ref)
        assert rows.by_ref(ref).state == "accepted"
        assert said("lesson.adopted") == []
    finally:
        (built.folder / "playbooks").unlink()
        (built.folder / "elsewhere").rename(built.folder / "playbooks")


def test_what_happened_and_the_texts_are_sealed(app):
    proposed(an_incident(), TEXT, text="Unspoken words")
    [stored] = db.session.execute(text('SELECT why, "before", "after", sealed FROM lesson')).all()
    assert stored[:3] == ("", "", "")
    assert b"Unspoken" not in bytes(stored[3])


def test_somebody_who_may_work_on_the_incident_looks_after_it(app):
    incident, user = an_incident(), a_user(Role.RESPONDER)
    ref = proposed(incident)
    lessons.hand_over(ref, to=user.ref, actor="U-0PROPOSER", now=clock.now())
    assert rows.by_ref(ref).owner_id == user.id
    with pytest.raises(Invalid):
        lessons.hand_over(ref, to=a_user(Role.AUDITOR).ref, actor="U-0PROPOSER", now=clock.now())
    with pytest.raises(Missing):
        lessons.hand_over("L-NONE", to=user.ref, actor="U-0PROPOSER", now=clock.now())
