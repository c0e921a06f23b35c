from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incident.domain import obligations as rules
from incident.domain.clock import Calendar
from incident.domain.dues import ClockState
from incident.domain.facts import Facts
from incident.domain.lawbook import Lawbook, library, parsed
from incident.domain.obligations import Standing

TODAY = date(2026, 11, 22)
AWARE = datetime(2026, 11, 18, 8, 10, tzinfo=UTC)
LAW = """
id = "XX"
name = "A law"
short = "law"
place = "FR"
zone = "Europe/Paris"
authority = "Somebody"
since = 2020-01-01
scope = { places = "FR" }
[[duty]]
id = "first"
title = "First"
to = "authority"
stage = "initial"
deadline = FIRST
cite = { place = "Art. 1", href = "https://example.org/law", read_on = 2026-01-01 }
confidence = "verified"
[[duty]]
id = "people"
title = "Tell people"
to = "individuals"
deadline = PEOPLE
cite = { place = "Art. 2", href = "https://example.org/law", read_on = 2026-01-01 }
confidence = "verified"
"""


def law(first='{ from = "aware_at", hours = 72 }', people='{ words = "promptly" }'):
    return parsed(LAW.replace("FIRST", first).replace("PEOPLE", people).encode(), "xx.toml")


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


def test_questions_come_by_how_much_they_decide_then_by_the_nearest_deadline():
    findings = rules.found(Facts({"personal_data": True, "aware_at": AWARE}), library(), calendar, TODAY)
    asked = rules.questions(findings)
    decides = [len(question.duties) for question in asked]
    assert decides == sorted(decides, reverse=True)
    assert asked[0].key == "residents"
    assert all(question.label for question in asked)


def test_a_missing_date_is_a_question_too():
    held = Facts({"personal_data": True, "residents": {"FR": 1}, "role": "controller", "risk_to_people": "risk"})
    findings = rules.found(held, Lawbook({"EU-GDPR": library()["EU-GDPR"]}), calendar, TODAY)
    assert [question.key for question in rules.questions(findings)] == ["aware_at"]


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
