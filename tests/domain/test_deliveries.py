"""Every cell of both tables, and what follows from them."""

import hashlib
from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incident.domain import deliveries as rules
from incident.domain.deliveries import Counts, Course, Happening, Pace, State, Turn
from incident.domain.errors import Invalid, Refused
from notifiers.contract import Answer, Outcome, Status

NOW = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
LETTERS = {
    "W": State.WAITING, "S": State.SENDING, "I": State.IN_DOUBT, "A": State.ACCEPTED, "D": State.DELIVERED, "H": State.CONFIRMED,
    "F": State.FAILED, "B": State.BOUNCED, "C": State.CANCELLED, "M": State.SIMULATED, "U": State.UNREACHED,
}  # fmt: skip
TABLE = """
happening            W S I A D H F B C M U
claimed              S S I A D H F B C M U
returned             W W I A D H F B C M U
lost                 W I I A D H F B C M U
taken                W A A A D H F B C M U
kept                 M M M A D H F B C M U
refused              W F F A D H F B C M U
put_off              W W F A D H F B C M U
set_aside            W F F A D H F B C M U
unanswered           W I I A D H F B C M U
given_to_people      W W W A D H F B C M U
reported_on_its_way  A A A A D H A B A M U
reported_delivered   D D D D D H D B D M D
reported_confirmed   H H H H H H H H H M H
reported_back        B B B B B H B B B M B
reported_else        W S I A D H F B C M U
found_sent           W S A A D H F B C M U
told_by_hand         H H H H H H H H H M H
given_up             W S I U D H F B C M U
not_told_by_hand     F S I A D H F B C M U
unprinted            W S I W D H F B C M U
return_taken_back    W S I A D H F A C M U
gone                 C C C A D H F B C M U
cancelled            C S I A D H F B C M U
"""
ROWS = [line.split() for line in TABLE.strip().splitlines()]
CELLS = [
    (LETTERS[before], Happening(row[0]), LETTERS[after])
    for row in ROWS[1:]
    for before, after in zip(ROWS[0][1:], row[1:], strict=True)
]
REPORTS = [happening for happening in Happening if happening.startswith("reported")]


@pytest.mark.parametrize(("before", "happening", "after"), CELLS, ids=lambda value: str(value))
def test_every_state_has_an_answer_for_every_happening(before: State, happening: Happening, after: State):
    assert rules.after(before, happening) is after


def test_the_table_above_is_whole():
    assert {(before, happening) for before, happening, _ in CELLS} == set(rules.TABLE)
    assert len(CELLS) == len(State) * len(Happening)
    assert set(rules.REPORTS) == set(Status)
    assert set(rules.WORDS) == set(rules.TONES) == set(State)


@pytest.mark.parametrize("start", list(State))
def test_reports_end_in_the_same_state_in_any_order_and_however_often(start: State):
    for chosen in (REPORTS, REPORTS[:2], REPORTS[1:3]):
        ends = set()
        for order in permutations(chosen):
            state = start
            for happening in (*order, *order):
                state = rules.after(state, happening)
            ends.add(state)
        assert len(ends) == 1


@given(st.lists(st.sampled_from(REPORTS)))
def test_nothing_reported_turns_a_delivered_one_into_less_than_delivered(reports: list[Happening]):
    state = State.DELIVERED
    for happening in reports:
        state = rules.after(state, happening)
    assert state in (State.DELIVERED, State.CONFIRMED, State.BOUNCED)
    assert (state is State.CONFIRMED) == (Happening.REPORTED_CONFIRMED in reports)
    assert (state is State.BOUNCED) == (Happening.REPORTED_BACK in reports and state is not State.CONFIRMED)


@given(st.lists(st.sampled_from(list(Happening))))
def test_a_simulated_one_never_becomes_anything_that_counts(happenings: list[Happening]):
    state = State.SIMULATED
    for happening in happenings:
        state = rules.after(state, happening)
    assert state is State.SIMULATED


def test_a_claim_never_takes_what_may_have_gone_out():
    assert [
        state
        for state in State
        if rules.after(state, Happening.CLAIMED) is State.SENDING and state is not State.SENDING
    ] == [State.WAITING]


def answered(
    outcome: Outcome, reason: str = "", *, tries: int = 0, wait: float | None = None, simulated: bool = False
) -> rules.Settled:
    return rules.settled(
        State.SENDING, Answer("R", outcome, reason=reason, wait=wait), tries, NOW, jitter=0.0, simulated=simulated
    )


@pytest.mark.parametrize(
    ("outcome", "state"),
    [
        (Outcome.ACCEPTED, State.ACCEPTED),
        (Outcome.REFUSED, State.FAILED),
        (Outcome.UNKNOWN, State.IN_DOUBT),
        (Outcome.LATER, State.WAITING),
        (Outcome.STOP, State.WAITING),
        (Outcome.BY_HAND, State.WAITING),
    ],
)
def test_what_an_answer_makes_of_a_message(outcome: Outcome, state: State):
    assert answered(outcome).state is state


def test_what_people_were_given_no_worker_takes_up_again():
    assert answered(Outcome.BY_HAND, "by_hand").due_at == rules.NO_WORKERS_TURN


def test_the_sandbox_tells_nobody():
    assert answered(Outcome.ACCEPTED, simulated=True).state is State.SIMULATED


def test_a_message_put_off_is_tried_again_ever_later_and_then_set_aside():
    waits = []
    tries = 0
    while (result := answered(Outcome.LATER, "server_says_later", tries=tries)).due_at:
        waits.append(result.due_at - NOW)
        tries = result.tries
    assert waits == sorted(waits)
    assert (len(waits), result.state, result.tries) == (rules.MOST_TRIES - 1, State.FAILED, rules.MOST_TRIES)


def test_a_message_that_cannot_be_written_is_set_aside_after_three_tries():
    assert [answered(Outcome.LATER, "cannot_be_written", tries=tries).state for tries in range(3)] == [
        State.WAITING,
        State.WAITING,
        State.FAILED,
    ]


@pytest.mark.parametrize("reason", sorted(rules.ABOUT_THE_PROVIDER))
def test_a_providers_trouble_is_not_counted_against_the_message(reason: str):
    result = answered(Outcome.LATER, reason, tries=5)
    assert (result.state, result.tries) == (State.WAITING, 5)


def test_the_wait_that_was_asked_for_is_kept():
    assert answered(Outcome.LATER, "mailbox_full", wait=7200).due_at == NOW + timedelta(hours=2)
    assert rules.hold(1, 7.5, 0.0) == timedelta(seconds=7.5)
    assert rules.hold(1, 10**9, 0.0) == timedelta(hours=1)


def test_a_channel_in_trouble_rests_longer_each_time_up_to_a_quarter_of_an_hour():
    rests = [rules.hold(troubles, None, 1.0) for troubles in range(20)]
    assert rests == sorted(rests)
    assert rests[-1] == timedelta(minutes=15)


def test_the_first_channel_that_is_set_up_and_reaches_the_person_is_taken():
    reached = {"email": False, "sms": True, "letter": True}
    assert rules.first_channel(["email", "sms", "letter"], reached, ["email", "sms"]) == "sms"
    assert rules.first_channel(["letter", "sms"], reached, ["email", "sms"]) == "sms"
    assert rules.first_channel(["email", "letter"], reached, ["email", "sms"]) == ""


@pytest.mark.parametrize("state", list(State))
def test_only_what_may_not_have_arrived_can_be_sent_again(state: State):
    if state in (State.FAILED, State.BOUNCED, State.IN_DOUBT, State.CANCELLED):
        rules.demand_repeatable(state, 1, current=True)
        with pytest.raises(Refused, match="Another attempt"):
            rules.demand_repeatable(state, 1, current=False)
        with pytest.raises(Refused, match="another channel"):
            rules.demand_repeatable(state, rules.MOST_ATTEMPTS, current=True)
    else:
        with pytest.raises(Refused, match="sent again"):
            rules.demand_repeatable(state, 1, current=True)


def test_only_what_is_in_doubt_can_be_settled_by_a_person():
    rules.demand_doubt(State.IN_DOUBT)
    with pytest.raises(Refused, match="no longer in doubt"):
        rules.demand_doubt(State.DELIVERED)


def test_a_reason_has_words():
    assert rules.reason("  the log \n shows it ") == "the log shows it"
    for text in ("", " x ", "y" * 501):
        with pytest.raises(Invalid):
            rules.reason(text)


COURSE = """
turn      preparing sending  paused    stopped in_doubt done
prepared  sending   sending  paused    stopped in_doubt done
pause     paused    paused   paused    no      no       no
go_on     preparing sending  preparing no      no       no
stop      stopped   stopped  stopped   stopped no       no
finish    preparing done     no        stopped done     done
doubt     preparing in_doubt no        stopped in_doubt in_doubt
repeat    preparing sending  paused    no      sending  sending
"""
COURSE_ROWS = [line.split() for line in COURSE.strip().splitlines()]


@pytest.mark.parametrize(
    ("before", "turn", "after"),
    [
        (before, row[0], after)
        for row in COURSE_ROWS[1:]
        for before, after in zip(COURSE_ROWS[0][1:], row[1:], strict=True)
    ],
)
def test_every_course_has_an_answer_for_every_turn(before: str, turn: str, after: str):
    if after == "no":
        with pytest.raises(Refused):
            rules.turned(Course(before), Turn(turn))
    else:
        assert rules.turned(Course(before), Turn(turn)) is Course(after)


def test_the_table_of_courses_is_whole():
    assert set(rules.COURSES) == {(course, turn) for course in Course for turn in Turn}


@given(st.lists(st.tuples(st.sampled_from(list(State)), st.sampled_from(list(State)), st.integers(0, 50))))
def test_counts_always_add_up(moves: list[tuple[State, State, int]]):
    counts = Counts(**{state.value: 10_000 for state in State})
    summed: dict[tuple[State, State], int] = {}
    for before, after, count in moves:
        summed[before, after] = summed.get((before, after), 0) + count
    numbers = {state.value: counts.of(state) for state in State} | counts.moved(summed)
    assert sum(numbers.values()) == counts.total


def test_a_dispatch_halts_when_too_many_come_back():
    pace = Pace(most_back=10, sample=50)
    assert not rules.too_many_back(Counts(accepted=40, bounced=9), pace)  # too few to say
    assert not rules.too_many_back(Counts(accepted=90, bounced=10), pace)  # exactly the limit
    assert rules.too_many_back(Counts(accepted=89, bounced=6, failed=5), pace)
    assert not rules.too_many_back(Counts(accepted=89, bounced=11), pace, seen=100, seen_bad=11)


def test_the_canary_counts_everything_that_may_have_gone_out():
    assert rules.canary_left(Counts(waiting=90, accepted=3, in_doubt=1, sending=2), 10) == 4
    assert rules.canary_left(Counts(accepted=30), 10) == 0
    assert rules.canary_left(Counts(waiting=5), 0) is None


@pytest.mark.parametrize("values", [{"canary": -1}, {"most_back": 0}, {"most_back": 101}, {"sample": 0}])
def test_a_pace_that_makes_no_sense_names_its_field(values: dict[str, int]):
    with pytest.raises(Invalid) as refusal:
        Pace(**values).checked()
    assert refusal.value.field in values
    assert Pace().checked() == Pace()


@pytest.mark.parametrize(
    ("course", "counts", "unowned", "complete"),
    [
        (Course.DONE, Counts(delivered=9, bounced=1), 0, True),
        (Course.DONE, Counts(delivered=9, bounced=1), 1, False),
        (Course.DONE, Counts(delivered=9, in_doubt=1), 0, False),
        (Course.IN_DOUBT, Counts(delivered=9, in_doubt=1), 0, False),
        (Course.SENDING, Counts(delivered=9), 0, False),
        (Course.STOPPED, Counts(delivered=9, sending=1), 0, False),
        (Course.STOPPED, Counts(delivered=9, cancelled=1), 0, True),
    ],
)
def test_complete_is_never_said_too_early(course: Course, counts: Counts, unowned: int, complete: bool):
    assert rules.is_complete(course, counts, unowned) is complete


def test_a_batch_digest_depends_on_every_row_and_state():
    digest = rules.batch_digest([("A", "accepted"), ("B", "failed")])
    assert len(digest) == 64
    assert digest != rules.batch_digest([("A", "accepted"), ("B", "accepted")])
    assert digest != rules.batch_digest([("B", "failed"), ("A", "accepted")])


@pytest.mark.parametrize("course", list(Course))
def test_nobody_waits_in_a_dispatch_that_was_stopped_for_good(course: Course):
    assert rules.waits_or_not(course) is (State.CANCELLED if course is Course.STOPPED else State.WAITING)


@pytest.mark.parametrize(("tries", "minutes"), list(enumerate((1, 5, 15, 30, 60))))
def test_a_message_put_off_waits_so_many_minutes_and_up_to_a_quarter_more(tries: int, minutes: int):
    put_off = Answer("R", Outcome.LATER, reason="mailbox_full")
    for jitter, longer in ((0.0, 1.0), (0.5, 1.125), (1.0, 1.25)):
        found = rules.settled(State.SENDING, put_off, tries, NOW, jitter=jitter, simulated=False)
        assert found.due_at == NOW + timedelta(minutes=minutes * longer)


def test_nobody_waits_longer_than_a_day_because_a_server_asked_for_it():
    assert answered(Outcome.LATER, "mailbox_full", wait=10**7).due_at == NOW + timedelta(days=1)


@pytest.mark.parametrize(
    ("troubles", "asked", "jitter", "seconds"),
    [(0, None, 0.0, 0.5), (1, None, 0.0, 1), (1, None, 1.0, 2), (5, None, 0.5, 24), (40, None, 1.0, 900), (1, 0, 1.0, 0), (9, 3, 0.0, 3)],
)  # fmt: skip
def test_a_channel_rests_as_long_as_was_asked_for_or_twice_as_long_each_time(troubles, asked, jitter, seconds):
    assert rules.hold(troubles, asked, jitter) == timedelta(seconds=seconds)


def test_a_channel_of_which_nothing_is_known_reaches_nobody():
    assert rules.first_channel(["email", "sms"], {"sms": True}, ["email", "sms"]) == "sms"


@pytest.mark.parametrize(("length", "taken"), [(2, False), (3, True), (500, True), (501, False)])
def test_a_reason_is_neither_a_syllable_nor_a_story(length: int, taken: bool):
    if taken:
        assert rules.reason("x" * length) == "x" * length
    else:
        with pytest.raises(Invalid) as refusal:
            rules.reason("x" * length)
        assert refusal.value.field == "reason"


def test_each_group_of_counts_holds_the_states_it_names():
    counts = Counts(**{state.value: 1 << place for place, state in enumerate(State)})
    of = counts.of
    assert counts.told == of(State.ACCEPTED) + of(State.DELIVERED) + of(State.CONFIRMED)
    assert counts.handed_over == counts.told + of(State.IN_DOUBT) + of(State.BOUNCED) + of(State.SIMULATED)
    assert counts.bad == of(State.FAILED) + of(State.BOUNCED)
    assert counts.with_outcome == counts.told + counts.bad
    assert counts.total == (1 << len(State)) - 1


def test_who_stays_where_they_were_changes_no_count():
    counts = Counts(waiting=5, sending=1)
    assert counts.moved({(State.WAITING, State.WAITING): 3}) == {}
    assert counts.moved({(State.WAITING, State.SENDING): 2}) == {State.WAITING: 3, State.SENDING: 3}


def test_what_was_looked_at_already_does_not_halt_a_dispatch_again():
    pace = Pace(most_back=10, sample=50)
    seen = {"seen": 100, "seen_bad": 40}
    assert not rules.too_many_back(Counts(accepted=105, bounced=44), pace, **seen)  # 49 more: too few to say
    assert rules.too_many_back(Counts(accepted=104, bounced=46), pace, **seen)  # 6 of 50
    assert not rules.too_many_back(Counts(accepted=105, bounced=45), pace, **seen)  # 5 of 50 are the limit


def test_whoever_failed_belongs_to_the_first_few():
    assert rules.canary_left(Counts(waiting=90, accepted=3, failed=2, sending=1), 10) == 4


@pytest.mark.parametrize(
    ("course", "canary", "may"),
    [
        (Course.DONE, 0, True),
        (Course.DONE, 5, True),
        (Course.IN_DOUBT, 0, True),
        (Course.SENDING, 0, True),
        (Course.SENDING, 5, False),
        (Course.PREPARING, 0, False),
        (Course.PAUSED, 0, False),
        (Course.STOPPED, 0, False),
    ],
)
def test_the_next_channel_is_not_tried_before_the_first_look_nor_at_rest(course: Course, canary: int, may: bool):
    assert rules.may_climb(course, canary) is may


def test_a_sending_whose_steps_are_still_open_is_not_complete_unless_it_was_stopped():
    counts = Counts(delivered=9)
    assert not rules.is_complete(Course.DONE, counts, 0, still_open=1)
    assert rules.is_complete(Course.STOPPED, counts, 0, still_open=1)


def test_a_batch_digest_is_the_tree_over_its_rows_and_that_of_nothing_is_the_tree_of_nothing():
    assert rules.batch_digest([]) == hashlib.sha256().hexdigest()
    leaves = [hashlib.sha256(b"\x00" + row).digest() for row in (b"A accepted", b"B failed")]
    assert rules.batch_digest([("A", "accepted")]) == leaves[0].hex()
    both = hashlib.sha256(b"\x01" + leaves[0] + leaves[1]).hexdigest()
    assert rules.batch_digest([("A", "accepted"), ("B", "failed")]) == both
