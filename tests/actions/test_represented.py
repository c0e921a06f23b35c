"""Children and their guardians, the dead and their next of kin, people at risk at home: who is told what, and by which way."""

import tomllib
from datetime import UTC, datetime
from pathlib import Path

import pytest

from incident.actions import correcting, crowds, people, preflight, previews
from incident.actions.previews import wording_of
from incident.domain.notices import Channel
from incident.domain.people import Audience
from incident.domain.preflight import Findings, Ground, Verdict, results
from incident.store import calls as call_rows
from incident.store.db import db
from notifiers.by_hand import ByHand
from notifiers.contract import Channels, Outcome
from notifiers.memory import Memory
from notifiers.print_letters import PrintLetters
from tests.actions.waves import LEAD, SANDBOX, Story, answering
from tests.builders import WHO_WRITES, a_notice, a_text, an_incident, notice_row

NOW = datetime(2026, 3, 6, 16, tzinfo=UTC)
LAWS = Path(__file__).parent.parent / "laws"
ALL = ("email", "sms", "call", "letter")
HOME = {"address": "Example Street 1\n10117 Berlin", "place": "DE", "exposed": "email"}


def a_story(*given: dict[str, str], channels=ALL, by_hand=True) -> Story:
    incident = an_incident(now=NOW)
    for number, one in enumerate(given, start=1):
        known = HOME | {"name": f"Person {number}", "email": f"person{number}@example.org"}
        known["phone"] = f"+4915112345{number:03}"
        people.add(incident.ref, {k: v for k, v in (known | one).items() if v}, actor=LEAD, now=NOW)
    notice = a_notice(incident, channels=channels, stage="approved", now=NOW)
    call = ByHand() if by_hand else Memory("call")
    real = {"email": Memory("email"), "sms": Memory("sms"), "call": call, "letter": PrintLetters()}
    return Story(incident, notice, real=real)


def told(story: Story) -> list[tuple[str, str]]:
    """By which channel each attempt was made, and how it stands, in the order of the people."""
    return [(row.channel, row.state) for row in story.rows()]


def sent(story: Story) -> dict[str, list[str]]:
    return {word: [one.to for one in way.sent] for word, way in story.real.items() if isinstance(way, Memory)}


@pytest.mark.parametrize(
    ("safe", "channel"), [("email", "email"), ("sms", "sms"), ("sms, email", "email"), ("letter", "letter")]
)
def test_somebody_at_risk_is_told_by_the_first_safe_way_of_the_ladder(app, safe, channel):
    story = a_story({"safe_ways": safe})
    story.start()
    story.work()
    assert [row[0] for row in told(story)] == [channel]
    others = {word: to for word, to in sent(story).items() if word != channel}
    assert not any(others.values())


def test_a_ladder_never_goes_on_to_a_way_that_is_not_safe(app):
    story = a_story({"safe_ways": "email"})
    story.real["email"].answer = answering(Outcome.REFUSED, "bad_address")
    story.start()
    story.work()
    assert {row[0] for row in told(story)} == {"email"}
    assert sent(story) == {"email": ["person1@example.org"], "sms": []}


def test_a_number_that_is_safe_for_texts_is_never_called(app):
    story = a_story({"safe_ways": "sms"}, channels=("call", "sms", "letter"))
    story.start()
    story.work()
    assert [row.channel for row in story.rows() if row.current] == ["sms"]
    assert db.session.scalar(db.select(db.func.count()).select_from(call_rows.CallTask)) == 0
    assert sent(story)["sms"] == ["+4915112345001"]


def test_a_number_that_is_safe_for_calls_gets_no_text_and_no_voice_of_ours(app):
    automatic = a_story({"safe_ways": "call"}, channels=("sms", "call", "letter"), by_hand=False)
    automatic.start()
    automatic.work()
    assert sent(automatic) == {"email": [], "sms": [], "call": []}
    by_hand = a_story({"safe_ways": "call"}, channels=("sms", "call", "letter"))
    by_hand.start()
    by_hand.work()
    assert sent(by_hand)["sms"] == []
    assert [row.channel for row in by_hand.rows() if row.current] == ["call"]


def test_nobody_is_told_by_anything_while_no_way_is_safe_and_the_team_sees_it(app):
    story = a_story({"safe_ways": "yes"}, {})
    found = _checked(story)
    [look] = [one for one in found.results if one.what == "care.unsafe"]
    assert (look.verdict, look.people) == (Verdict.WARNS, 1)
    story.start()
    story.work()
    assert [(row.channel, row.state) for row in story.rows() if row.person_number == 1] == [("none", "unreached")]
    assert sent(story)["email"] == ["person2@example.org"]


def test_a_mark_that_comes_while_a_message_waits_is_kept(app):
    story = a_story({}, channels=("email", "letter"))
    story.start()
    person = people.one(story.incident.ref, "P-1")
    safe = {"safe_ways": "none"}
    correcting.correct(story.incident.ref, "P-1", safe, reason="Called us", version=person.version, actor=LEAD, now=NOW)
    story.work()
    assert sent(story)["email"] == []


def _checked(story: Story):
    run = preflight.ask(story.incident.ref, story.notice, actor=LEAD, now=NOW)
    channels = Channels(story.real, SANDBOX)
    preflight.check(run, channels, house=WHO_WRITES, clock=lambda: NOW)
    db.session.rollback()
    db.session.expire_all()
    row = notice_row(story.incident, story.notice)
    return preflight.standing(story.incident, row, channels, hurdles=0, now=NOW)


CHILD = {"age": "under_14"}
GUARDIAN = {"guardian_name": "Kim Person", "guardian_email": "kim@example.org"}


def test_the_check_counts_and_lists_those_who_are_told_otherwise_than_others(app):
    story = a_story({}, CHILD, CHILD | GUARDIAN, {"deceased": "yes"}, {"safe_ways": "email"})
    found = {one.what: (one.verdict, one.people) for one in _checked(story).results if one.what.startswith("care.")}
    assert found == {
        "care.minor": (Verdict.WARNS, 1),
        "care.guardian": (Verdict.STANDS, 1),
        "care.nameless": (Verdict.WARNS, 1),
        "care.next_of_kin": (Verdict.STANDS, 1),
        "care.at_risk": (Verdict.STANDS, 1),
    }
    row = notice_row(story.incident, story.notice)
    listed = {word: preflight.listed(story.incident, row, f"care.{word}") for word in ("minor", "guardian", "at_risk")}
    assert listed == {"minor": [2], "guardian": [3], "at_risk": [5]}


@pytest.mark.parametrize(("words", "nameless"), [("Data was copied.", [1]), ("On {{ person.for_whom }}.", [])])
def test_a_text_that_does_not_tell_a_guardian_whose_data_it_is_about_is_pointed_out(app, words, nameless):
    incident = an_incident(now=NOW)
    people.add(
        incident.ref, {"name": "Milo Minor", "place": "DE", "exposed": "email"} | CHILD | GUARDIAN, actor=LEAD, now=NOW
    )
    people.add(
        incident.ref,
        {"name": "Ada Adult", "email": "ada@example.org", "place": "DE", "exposed": "email"},
        actor=LEAD,
        now=NOW,
    )
    text = a_text()
    text.sections["what_happened"] = words
    story = Story(
        incident, a_notice(incident, channels=("email",), texts=(text,), now=NOW), real={"email": Memory("email")}
    )
    found = _checked(story)
    assert preflight.listed(incident, notice_row(incident, story.notice), "care.nameless") == nameless
    looks = [one for one in found.results if one.what == "care.nameless"]
    assert [(look.verdict, look.people) for look in looks] == [(Verdict.WARNS, 1)] * len(nameless)
    assert all("person.for_whom" in look.sentence for look in looks)


def test_the_laws_that_want_guardians_told_are_named_beside_the_children(app):
    owed = tomllib.loads((LAWS / "nz-priv.toml").read_text("utf-8"))["case"][0]["facts"]
    facts = {key: said.isoformat() if isinstance(said, datetime) else said for key, said in owed.items()}
    incident = an_incident(facts=facts, now=NOW)
    assert crowds.guardians(incident.id, Audience()) == ("NZ Privacy Act, of people under 16",)
    assert crowds.guardians(incident.id, Audience(places=("DE",))) == ()
    ground = Ground(
        1, ("email",), frozenset({"email"}), ("en",), {}, 0, {}, {}, 0, NOW, guardians=("Act, of people under 16",)
    )
    [look] = [one for one in results(ground, Findings(people={"care.minor": 1})) if one.what == "care.minor"]
    assert look.sentence.endswith("Guardians are told by Act, of people under 16.")


@pytest.mark.parametrize(
    ("given", "channel", "words", "reached"),
    [
        (CHILD, Channel.LETTER, "parents or guardian of P••• 1•••", True),
        ({"deceased": "yes"}, Channel.LETTER, "next of kin of P••• 1•••", True),
        ({"deceased": "yes"}, Channel.EMAIL, "P••• 1•••", False),
        (CHILD | GUARDIAN, Channel.EMAIL, "K••• P•••", True),
        ({"safe_ways": "email"}, Channel.LETTER, "P••• 1•••", False),
        ({"safe_ways": "email"}, Channel.EMAIL, "P••• 1•••", True),
    ],
)
def test_a_preview_shows_what_such_a_person_reads_and_whether_they_get_it(app, given, channel, words, reached):
    story = a_story(given)
    row = notice_row(story.incident, story.notice)
    seen = previews.masked(story.incident.id, row.audience, wording_of(row, "en", None), channel, 1)
    assert seen.reached is reached
    greeting = "".join(piece if isinstance(piece, str) else f"<{piece.name}>" for piece in seen.sheet.greeting.pieces)
    assert words.casefold() in greeting.casefold()
