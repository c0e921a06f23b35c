"""Reports of providers, taken in post by post: each once, whatever the order, the repeats, the split and the rush."""

import random
import threading
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from incident.actions import deliveries, reported
from incident.domain.deliveries import State
from incident.store import provider_events, tallies
from incident.store.db import db
from incident.store.provider_events import ProviderEvent
from notifiers.contract import Event, Outcome, Status
from notifiers.memory import Memory
from tests.actions.waves import LEAD, NOW, a_story, answering
from tests.store.test_bulk import statements_of

pytestmark = pytest.mark.usefixtures("app")

PEOPLE = 8
LARGE = {"delivery", "provider_event", "person", "audit_line", "reminder_message", "dispatch"}


def sent(people: int = PEOPLE):
    """A notice that went to so many people by e-mail."""
    story = a_story(people, channels=("email",), real={"email": Memory("email")})
    story.start()
    story.work()
    return story


def about(refs, dice):
    """A handful of reports on each, some of them of what was never sent."""
    told = [
        Event(f"{ref}-{n}", dice.choice(list(Status)), ref=ref, at=NOW + timedelta(seconds=dice.randrange(90)))
        for ref in refs
        for n in range(dice.randrange(4))
    ]
    return [*told, *(Event(f"stranger-{n}", Status.DELIVERED, ref=f"never-sent-{n}") for n in range(3))]


def posts(events, dice):
    """Mixed, some of them twice, cut into pieces."""
    mixed = [*events, *dice.sample(events, len(events) // 3)]
    dice.shuffle(mixed)
    while mixed:
        size = dice.randrange(1, 9)
        yield mixed[:size]
        mixed = mixed[size:]


def ended(story):
    """How everybody stands, as far as it may not hang on the order; the counts must be those of the rows."""
    row = story.row()
    story.counts()
    assert tallies.of(row.id) == {place: n for _, place, n in tallies.of_rows([row.id])}
    kept = db.session.scalars(select(ProviderEvent.event_id).order_by(ProviderEvent.event_id)).all()
    people = [(one.person_number, one.state, one.may_pass, one.complained, one.reported_at) for one in story.rows()]
    return people, kept, row.complained


@pytest.mark.parametrize("seed", range(12))
def test_any_order_any_repeats_and_any_split_end_the_same(seed):
    story, dice = sent(), random.Random(seed)
    events = about([row.ref for row in story.rows()], dice)
    for post in posts(events, dice):
        reported.take_in("memory", "email", post, now=NOW + timedelta(minutes=2))
    people, kept, complained = ended(story)
    assert kept == sorted(event.id for event in events)
    folded = {row.ref: provider_events.Known(State.ACCEPTED) for row in story.rows()}
    for event in events:
        if event.ref in folded:
            reported.hear(folded[event.ref], [event], NOW + timedelta(minutes=2))
    assert people == [
        (n, known.state, known.may_pass, known.complained, known.last) for n, known in enumerate(folded.values(), 1)
    ]
    assert complained == sum(known.complained for known in folded.values())


def test_many_at_once_take_each_report_in_once(app):
    story = sent(40)
    refs = [row.ref for row in story.rows()]
    events = [Event(f"{ref}-{word}", word, ref=ref) for ref in refs for word in (Status.DELIVERED, Status.BOUNCED)]
    taken, troubles = [], []

    def post(order):
        with app.app_context():
            try:
                mine = sorted(events, key=lambda event: event.id, reverse=order)
                for start in range(0, len(mine), 10):
                    taken.append(reported.take_in("memory", "email", mine[start : start + 10], now=NOW))
            except Exception as trouble:
                troubles.append(trouble)

    threads = [threading.Thread(target=post, args=(order,)) for order in (False, True, False)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not troubles
    db.session.rollback()
    assert sum(taken) == len(events)
    assert story.counts() == {"bounced": 40}
    assert db.session.scalar(select(func.count()).select_from(ProviderEvent)) == len(events)


def test_what_comes_back_late_needs_somebodys_care_again():
    story = sent(2)
    first, _ = story.rows()
    reported.take_in("memory", "email", [Event("1", Status.DELIVERED, ref=one.ref) for one in [first]], now=NOW)
    assert story.counts() == {"delivered": 1, "accepted": 1}
    late = NOW + timedelta(days=2)
    reported.take_in("memory", "email", [Event("2", Status.BOUNCED, ref=first.ref, reason="bounce")], now=late)
    assert story.counts() == {"bounced": 1, "accepted": 1}
    [back, _] = story.rows()
    assert (back.reason, back.owner, back.climb_at, back.changed_at) == ("bounce", "", late, late)
    assert tallies.of(story.row().id)[tallies.Place("email", back.language, State.BOUNCED, "bounce")] == 1


def test_a_bounce_for_good_after_one_for_this_time_moves_the_reason_too():
    story = sent(1)
    [row] = story.rows()
    for id_, status, reason in (("1", Status.BLOCKED, "blocked"), ("2", Status.BOUNCED, "bounce")):
        reported.take_in("memory", "email", [Event(id_, status, ref=row.ref, reason=reason)], now=NOW)
    [row] = story.rows()
    assert (row.state, row.may_pass, row.reason) == ("bounced", False, "bounce")
    ended(story)


def test_a_repeat_is_not_taken_back_where_the_same_post_says_that_the_first_came_back():
    story = a_story(1, channels=("email",), real={"email": Memory("email", answer=answering(Outcome.UNKNOWN))})
    story.start()
    story.work()
    [row] = story.rows()
    deliveries.send_again(story.incident.ref, row.ref, reason="nothing in their log", actor=LEAD, now=NOW)
    both = [Event("1", Status.ACCEPTED, ref=row.ref), Event("2", Status.BOUNCED, ref=row.ref)]
    reported.take_in("memory", "email", both, now=NOW)
    assert story.counts() == {"waiting": 1}


def test_a_post_of_a_thousand_is_one_transaction_and_few_statements():
    story = sent(PEOPLE)
    refs = [row.ref for row in story.rows()]
    few = [Event(f"a{n}", Status.DELIVERED, ref=refs[n % PEOPLE]) for n in range(100)]
    many = [Event(f"b{n}", Status.BOUNCED, ref=refs[n % PEOPLE]) for n in range(1_000)]
    small = statements_of(lambda: reported.take_in("memory", "email", few, now=NOW))
    large = statements_of(lambda: reported.take_in("memory", "email", many, now=NOW))
    assert len(large) <= len(small) + 2
    lines = [statement for statement, _ in large if "INSERT INTO audit_line" in statement]
    assert len(lines) == 1


def test_no_statement_of_a_report_reads_a_whole_table():
    story = sent(PEOPLE)
    if db.engine.dialect.name != "sqlite":
        pytest.skip("The plans are SQLite's.")
    events = [Event(f"e{n}", Status.BOUNCED, ref=row.ref) for n, row in enumerate(story.rows())]
    events.append(Event("stranger", Status.DELIVERED, ref="never-sent"))
    for statement, values in statements_of(lambda: reported.take_in("memory", "email", events, now=NOW)):
        db.session.rollback()
        found = db.session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)
        plan = [row[3] for row in found]
        assert not [step for step in plan if step.startswith("SCAN") and step.split()[1] in LARGE], (statement, plan)
