from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incident.domain import obligations as rules
from incident.domain.clock import Calendar
from incident.domain.dues import ClockState
from incident.domain.facts import UNKNOWN, Facts
from incident.domain.lawbook import Lawbook, library
from incident.domain.obligations import Standing
from incident.domain.questions import questions, weight
from tests.made_up_laws import a_duty, a_law_file, law_of

TODAY = date(2026, 11, 22)
AWARE = datetime(2026, 11, 18, 8, 10, tzinfo=UTC)


def law(first='{ from = "aware_at", hours = 72 }', people='{ words = "promptly" }'):
    return law_of(written(first, people))


def written(first, people, more=""):
    """The file of that law; `more` are lines of its duty to people."""
    return a_law_file(
        a_duty("first", deadline=first, more='stage = "initial"'),
        a_duty("people", to="individuals", deadline=people, at="Art. 2", more=more),
    )


def calendar(_=None):
    return Calendar("FR", ZoneInfo("Europe/Paris"))


def said(one, done=None, **facts):
    held = Facts({"residents": {"FR": 1}, **facts})
    return rules.by_ref(rules.found(held, Lawbook({"XX": one}), calendar, TODAY, done or {}))


def test_a_clock_that_cannot_start_is_not_one_that_has_not_started_nor_one_without_time():
    ahead = law(first='{ from = "handling_ended_at", calendar_days = 30 }')
    assert said(law())["XX/first"].clock.state is ClockState.DATE_MISSING
    assert said(ahead)["XX/first"].clock.state is ClockState.NOT_STARTED
    assert said(law())["XX/people"].clock.state is ClockState.NONE_IN_LAW
    assert said(law(), aware_at=AWARE)["XX/first"].clock.state is ClockState.RUNNING


def test_a_moment_of_the_same_meaning_stands_in_and_is_named():
    clock = said(law(), discovered_at=AWARE)["XX/first"].clock
    assert (clock.due, clock.anchor) == (AWARE + timedelta(hours=72), "discovered_at")
    assert "discovered, for want of “aware”" in clock.words


def test_while_an_alternative_is_open_the_most_urgent_is_shown():
    both = law(
        first='[ { from = "aware_at", hours = 12, when = { core_function = true } }, { from = "aware_at", hours = 48 } ]'
    )
    hours = {
        answer: said(both, aware_at=AWARE, **answer_of)["XX/first"].clock.due
        for answer, answer_of in {"open": {}, "yes": {"core_function": True}, "no": {"core_function": False}}.items()
    }
    assert hours == {
        "open": AWARE + timedelta(hours=12),
        "yes": AWARE + timedelta(hours=12),
        "no": AWARE + timedelta(hours=48),
    }


def test_at_the_latest_takes_the_earlier_of_two():
    capped = law(first='{ from = "determined_at", hours = 24, cap = { from = "aware_at", hours = 30 } }')
    late = said(capped, aware_at=AWARE, determined_at=AWARE + timedelta(hours=20))["XX/first"].clock
    early = said(capped, aware_at=AWARE, determined_at=AWARE + timedelta(hours=2))["XX/first"].clock
    assert (late.due, early.due) == (AWARE + timedelta(hours=30), AWARE + timedelta(hours=26))
    assert late.words.startswith("at the latest")


def test_with_another_duty_means_not_later_than_it_is_done_or_must_be():
    linked = law(first='{ with = "people" }', people='{ from = "aware_at", calendar_days = 30 }')
    assert said(linked, aware_at=AWARE)["XX/first"].clock.due == datetime(2026, 12, 18, 22, 59, 59, tzinfo=UTC)
    told = said(linked, aware_at=AWARE, individuals_notified_at=AWARE + timedelta(days=1))["XX/first"].clock
    assert told.due == datetime(2026, 11, 19, 22, 59, 59, tzinfo=UTC)


def test_law_enforcement_holds_back_notices_and_not_reports():
    held = law(people='{ from = "aware_at", calendar_days = 30 }')
    answers = said(held, aware_at=AWARE, law_enforcement_hold=True)
    assert answers["XX/people"].clock.state is ClockState.ON_HOLD
    assert answers["XX/people"].clock.due is None
    assert answers["XX/first"].clock.state is ClockState.RUNNING


def test_what_was_done_under_a_law_starts_the_clocks_of_that_law():
    chained = law(people='{ from = "initial_submitted_at", calendar_days = 7 }')
    before, after = said(chained, aware_at=AWARE), said(chained, {"XX/first": AWARE}, aware_at=AWARE)
    assert before["XX/people"].clock.state is ClockState.NOT_STARTED
    assert after["XX/people"].clock.due == datetime(2026, 11, 25, 22, 59, 59, tzinfo=UTC)


NOW = datetime(2026, 11, 18, 9, tzinfo=UTC)


def test_questions_come_by_how_much_hangs_on_them_and_how_soon():
    findings = rules.found(Facts({"personal_data": True, "aware_at": AWARE}), library(), calendar, TODAY)
    asked = questions(findings, NOW)
    decisive = [question for question in asked if question.duties]
    assert [question.weight for question in decisive] == sorted((one.weight for one in decisive), reverse=True)
    assert asked[: len(decisive)] == tuple(decisive), "what could only lift a duty comes after what decides one"
    assert asked[0].key == "residents"
    assert all(question.label for question in asked)


def test_one_duty_due_within_the_hour_outweighs_many_without_a_time_and_many_outweigh_one_far_away():
    soon, late, far = NOW + timedelta(hours=1), NOW - timedelta(days=3), NOW + timedelta(days=60)
    assert weight([soon], NOW) == weight([late], NOW) == 73
    assert weight([soon], NOW) > weight([None] * 70, NOW) > weight([far], NOW) > weight([None], NOW) == 1
    assert weight([NOW + timedelta(hours=72)], NOW) == 2


def test_a_fact_that_could_lift_a_duty_is_asked_last_and_says_which():
    doubtful = law().duties  # the plain law has no exception
    assert not doubtful[0].unless
    unless = 'unless = [ { says = "No harm", when = { harm_likely = false } } ]'
    lifted = law_of(written('{ from = "aware_at", hours = 72 }', '{ words = "promptly" }', unless))
    held = Facts({"residents": {"FR": 1}})
    findings = rules.found(held, Lawbook({"XX": lifted}), calendar, TODAY)
    assert [(one.key, one.duties, one.lifts) for one in questions(findings, NOW)] == [
        ("aware_at", ("XX/first",), ()),
        ("harm_likely", (), ("XX/people",)),
    ]
    assert rules.by_ref(findings)["XX/people"].doubts == ("No harm",)


def test_a_missing_date_is_a_question_too():
    held = Facts({"personal_data": True, "residents": {"FR": 1}, "role": "controller", "risk_to_people": "risk"})
    findings = rules.found(held, Lawbook({"EU-GDPR": library()["EU-GDPR"]}), calendar, TODAY)
    assert [question.key for question in questions(findings, NOW)] == ["aware_at"]


@given(st.dates(date(2018, 5, 25), date(2026, 11, 22)), st.sampled_from(["unlikely", "risk", "high"]))
def test_more_risk_never_lifts_a_duty_of_the_gdpr(day, risk):
    base = {
        "personal_data": True,
        "residents": {"FR": 1},
        "role": "controller",
        "aware_at": datetime(day.year, day.month, day.day, 12, tzinfo=UTC),
    }
    owed = {
        word: {
            one.ref
            for one in rules.found_in(library()["EU-GDPR"], Facts({**base, "risk_to_people": word}), calendar(), TODAY)
            if one.standing is Standing.OWED
        }
        for word in ("unlikely", "risk", "high")
    }
    assert owed["unlikely"] <= owed["risk"] <= owed["high"]
    assert "EU-GDPR/register" in owed[risk]


FACTS = st.fixed_dictionaries(
    {},
    optional={
        "personal_data": st.booleans(),
        "risk_to_people": st.sampled_from(["unlikely", "risk", "high"]),
        "role": st.sampled_from(["controller", "processor", "both"]),
        "residents": st.dictionaries(st.sampled_from(["DE", "US-TX", "CN", "BR", "GB"]), st.integers(0, 2_000_000)),
        "data_kinds": st.sampled_from([("name",), ("name", "ssn"), ("health",)]),
        "properties": st.sampled_from([("confidentiality",), ("availability",)]),
        "people_count": st.integers(0, 2_000_000),
        "harm_likely": st.booleans(),
        "minors": st.booleans(),
        "aware_at": st.datetimes(datetime(2026, 1, 1), datetime(2026, 11, 1), timezones=st.just(UTC)),
    },
)


@pytest.mark.parametrize(
    "more",
    [{"role": "controller"}, {"risk_to_people": "high"}, {"residents": {"DE": 5, "US-TX": 300}}, {"harm_likely": True}],
)
@given(facts=FACTS)
def test_an_answer_to_an_open_question_never_changes_what_was_decided_without_it(more, facts):
    """Monotone: a duty that is owed or not owed stays so when something unknown becomes known, exemptions apart."""
    key = next(iter(more))
    facts.pop(key, None)
    book = Lawbook({law: library()[law] for law in ("EU-GDPR", "US-TX", "BR-LGPD", "UK-GDPR", "JP-APPI")})
    before = rules.by_ref(rules.found(Facts(facts), book, calendar, TODAY))
    after = rules.by_ref(rules.found(Facts({**facts, **more}), book, calendar, TODAY))
    for ref, finding in before.items():
        if finding.standing is Standing.NOT_OWED:
            assert after[ref].standing is Standing.NOT_OWED
        elif finding.standing is Standing.OWED and not finding.doubts:
            assert after[ref].standing is Standing.OWED


# ---------------------------------------------------------------- how an answer is told

THIRTY_DAYS = '{ from = "determined_at", calendar_days = 30 }'
CHICAGO = Calendar("US-TX", ZoneInfo("America/Chicago"))


def texan(more="", calendar=CHICAGO, deadline=THIRTY_DAYS, **facts):
    many = "when = { residents = { least = 250 } }\n"
    duty = a_duty("ag", to="attorney_general", deadline=deadline, at="Code 521.053(i)", more=many + more)
    one = law_of(a_law_file(duty, id_="US-XX", place="US-TX", authority="Attorney General"))
    return rules.found(Facts(facts), Lawbook({one.id: one}), lambda _: calendar, TODAY)[0]


def test_the_trace_says_both_numbers_the_citation_the_start_the_limit_and_the_end():
    finding = texan(residents={"US-TX": 612}, determined_at=datetime(2026, 3, 3, 18, tzinfo=UTC))
    assert finding.trace == (
        "owed: People in Texas: 612 ≥ 250 (Code 521.053(i)); "
        "30 days from 3 Mar 2026, 12:00 Chicago (determined to be a breach) → 2 Apr 2026, 23:59 Chicago"
    )


def test_what_is_not_owed_says_which_condition_failed_and_nothing_of_a_clock():
    finding = texan(residents={"US-TX": 249}, determined_at=AWARE)
    assert finding.trace == "not owed: People in Texas: 249 < 250 (Code 521.053(i))"


def test_what_is_open_says_what_would_decide_it():
    finding = texan(establishments=("US-TX",))
    assert finding.standing is Standing.OPEN
    assert finding.wants == ("residents",)
    assert "People in Texas: not known yet, at least 250 asked for" in finding.because


def test_a_lifted_duty_says_the_ground_the_facts_and_what_must_be_kept_and_told():
    unless = 'unless = [ { says = "No misuse", when = { misuse_unlikely = true }, keep = "the finding", keep_years = 5, tell = "attorney_general" } ]'
    finding = texan(unless, residents={"US-TX": 612}, misuse_unlikely=True)
    assert finding.because == (
        "No misuse. Did an investigation find that misuse or harm is not reasonably likely? yes. "
        "Keep the finding for 5 years. Tell the Attorney General of it",
    )
    open_ = texan(unless, residents={"US-TX": 612})
    assert (open_.standing, open_.doubts, open_.lifts) == (Standing.OWED, ("No misuse",), ("misuse_unlikely",))


def test_substitute_notice_is_proposed_with_its_figures_once_its_threshold_is_met():
    substitute = (
        'substitute = [ { when = { notice_cost = { more = 250000 } }, by = ["email", "website", "media"], days = 30 } ]'
    )
    met, below = (texan(substitute, residents={"US-TX": 612}, notice_cost=cost).ways for cost in (250_001, 250_000))
    assert [(one.substitute.by, one.because) for one in met.proposed] == [
        (("email", "website", "media"), ("What telling each person directly would cost: 250,001 > 250,000",))
    ]
    assert below.proposed == ()
    assert texan(substitute, residents={"US-TX": 612}).ways.wants == ("notice_cost",)


@pytest.mark.parametrize(
    ("facts", "said", "wants"),
    [
        ({"youngest_age": 13}, "The youngest is 13", ()),
        ({"youngest_age": 14}, "", ()),
        ({"minors": True}, "Children are among them", ("youngest_age",)),
        ({"people_categories": ("children",)}, "Children are among them", ("youngest_age",)),
        ({"minors": False}, "", ()),
        ({}, "not known yet", ("minors",)),
    ],
)
def test_guardians_are_told_of_people_below_the_age_of_the_law_and_an_unknown_age_is_said(facts, said, wants):
    ways = texan("guardian_under = 14", residents={"US-TX": 612}, **facts).ways
    assert said in ways.guardians
    assert bool(ways.guardians) == bool(said)
    assert ways.wants == wants


def test_a_law_that_says_nothing_of_guardians_never_speaks_of_them():
    assert texan(residents={"US-TX": 612}, minors=True).ways.guardians == ""


# ---------------------------------------------------------------- hold and resume

CLEARED = datetime(2026, 4, 20, 15, tzinfo=UTC)
HELD = {
    "residents": {"US-TX": 612},
    "determined_at": datetime(2026, 3, 3, 18, tzinfo=UTC),
    "law_enforcement_hold": True,
    "held_from": datetime(2026, 3, 13, 18, tzinfo=UTC),
}


def ends(more, **facts):
    due = texan(more, **{**HELD, **facts}).clock.due
    return due.astimezone(CHICAGO.zone).isoformat() if due else None


def test_while_law_enforcement_asks_for_delay_a_clock_is_held_only_where_the_law_lets_it():
    held = texan('hold = { resume = "at_once" }', **HELD).clock
    assert (held.state, held.due) == (ClockState.ON_HOLD, None)
    assert held.words.startswith("on hold for law enforcement since 13 Mar 2026, 13:00 Chicago; otherwise 30 days from")
    assert texan("", **HELD).clock.state is ClockState.RUNNING


@pytest.mark.parametrize(
    ("resume", "end"),
    [
        ("at_once", "2026-04-20T23:59:59-05:00"),
        ("afresh", "2026-05-20T23:59:59-05:00"),
        ("paused", "2026-05-10T23:59:59-05:00"),
    ],
)
def test_a_held_clock_goes_on_as_its_law_says(resume, end):
    assert ends(f'hold = {{ resume = "{resume}" }}', le_clearance_at=CLEARED) == end


def test_a_hold_that_ended_before_the_limit_leaves_the_limit_where_it_was_unless_its_time_is_added():
    early = datetime(2026, 3, 16, 18, tzinfo=UTC)
    assert ends('hold = { resume = "at_once" }', le_clearance_at=early) == "2026-04-02T23:59:59-05:00"
    assert ends('hold = { resume = "paused" }', le_clearance_at=early) == "2026-04-05T23:59:59-05:00"


def test_a_pause_whose_beginning_is_not_known_adds_nothing_and_asks_for_it():
    one = texan('hold = { resume = "paused" }', **{**HELD, "held_from": UNKNOWN}, le_clearance_at=CLEARED).clock
    assert one.due == texan("", **HELD).clock.due
    assert one.wants == ("held_from",)


def test_a_pause_of_a_limit_in_hours_adds_the_time_itself():
    facts = {**HELD, "le_clearance_at": HELD["held_from"] + timedelta(hours=50)}
    finding = texan('hold = { resume = "paused" }', deadline='{ from = "determined_at", hours = 720 }', **facts)
    assert finding.clock.due == HELD["determined_at"] + timedelta(hours=770)


def test_a_deadline_that_names_clearance_itself_is_left_to_its_own_words():
    later = 'later = { from = "le_clearance_at", calendar_days = 7 }'
    own = f'{{ from = "determined_at", calendar_days = 30, {later} }}'
    finding = texan("hold = true", deadline=own, **HELD, le_clearance_at=CLEARED)
    assert finding.clock.due.astimezone(CHICAGO.zone).isoformat() == "2026-04-27T23:59:59-05:00"


# ---------------------------------------------------------------- advice is not law


def test_a_guideline_is_shown_as_advice_and_nothing_is_due():
    advised = law(first='{ words = "promptly", guideline = { from = "aware_at", calendar_days = 5 } }')
    clock = said(advised, aware_at=AWARE)["XX/first"].clock
    assert (clock.state, clock.due) == (ClockState.NONE_IN_LAW, None)
    assert clock.guide == datetime(2026, 11, 23, 22, 59, 59, tzinfo=UTC)
    assert clock.words == (
        "no deadline in law: promptly; advised: 5 days → 23 Nov 2026, 23:59 Paris, no limit of the law"
    )
    assert said(advised)["XX/first"].clock.guide is None
