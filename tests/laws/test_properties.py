"""What holds for every law of the library and for any facts: nothing is dropped silently, and knowing more never unsettles."""

from datetime import UTC, date, datetime, timedelta
from functools import cache

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from incident import calendars
from incident.domain import obligations as rules
from incident.domain import places
from incident.domain.dues import ClockState
from incident.domain.facts import Facts, vocabulary
from incident.domain.lawbook import library
from incident.domain.obligations import Standing

TODAY = date(2026, 11, 22)
OWED = {Standing.OWED, Standing.ADVISED}
WIDE = settings(deadline=None, max_examples=40, suppress_health_check=list(HealthCheck))
PLACES = ["DE", "FR", "GB", "CH", "CN", "HK", "TW", "JP", "KR", "SG", "AU", "NZ", "BR", "CA", "IN", "ZA", "AE", "CL"]
PLACES += ["US-TX", "US-CA", "US-NY", "US-MA", "US-IA", "US-FL", "US-WA", "US-PR"]
NUMBERS = [0, 1, 4, 50, 249, 250, 251, 499, 500, 501, 999, 1000, 1001, 9999, 10_000, 100_000, 1_000_000, 10_000_000]
MOMENTS = st.datetimes(datetime(2026, 2, 1), datetime(2026, 10, 1), timezones=st.just(UTC))
COUNTED = {"people_count", "pi_people_cn", "total_notified"}


def _values(entry):
    if entry.type == "yes_no":
        return st.booleans()
    if entry.type == "choice":
        return st.sampled_from([option.word for option in entry.options])
    if entry.type == "choices":
        words = [option.word for option in entry.options]
        return st.lists(st.sampled_from(words), unique=True, max_size=6).map(
            lambda chosen: tuple(word for word in words if word in chosen)
        )
    if entry.type == "number":
        return st.sampled_from(NUMBERS)
    if entry.type == "counts":
        return st.dictionaries(st.sampled_from(PLACES), st.sampled_from(NUMBERS), max_size=6)
    if entry.type == "instant":
        return MOMENTS
    return st.lists(st.sampled_from(PLACES), unique=True, max_size=4).map(tuple)


@cache
def _asked():
    """Every fact that a clause or a clock can ask for: all but free words and what is told of systems."""
    return {
        entry.key: _values(entry)
        for entry in vocabulary()
        if entry.type not in {"text", "date"} and entry.key not in {*COUNTED, "systems"}
    }


@st.composite
def known_wholly(draw):
    """Facts that leave nothing unknown and do not contradict each other in their numbers."""
    facts = draw(st.fixed_dictionaries(_asked()))
    facts["people_count"] = sum(facts["residents"].values())
    facts["pi_people_cn"] = facts["residents"].get("CN", 0)
    facts["total_notified"] = draw(st.integers(0, facts["people_count"]))
    return facts


@st.composite
def known_partly(draw):
    """Facts, and the same with some of them unknown. The day of the law stays known: it decides which law counts."""
    whole = draw(known_wholly())
    hidden = draw(st.sets(st.sampled_from(sorted(set(whole) - {"discovered_at"})), max_size=len(whole)))
    return whole, {key: value for key, value in whole.items() if key not in hidden}


def said(facts):
    return rules.by_ref(rules.found(Facts(dict(facts)), library(), calendars.of_law, TODAY))


@WIDE
@given(known_partly())
def test_what_is_not_owed_while_facts_are_unknown_is_not_owed_whatever_they_turn_out_to_be(both):
    whole, part = both
    after = said(whole)
    for ref, finding in said(part).items():
        if finding.standing is Standing.NOT_OWED:
            assert after[ref].standing is Standing.NOT_OWED, (finding.trace, after[ref].trace)


@WIDE
@given(known_partly())
def test_what_is_owed_stays_owed_or_is_lifted_by_a_doubt_that_was_named_and_never_becomes_open(both):
    whole, part = both
    after = said(whole)
    for ref, finding in said(part).items():
        if finding.standing not in OWED or after[ref].standing is finding.standing:
            continue
        assert after[ref].standing is Standing.NOT_OWED, (finding.trace, after[ref].trace)
        assert any(ground.startswith(doubt) for ground in after[ref].because for doubt in finding.doubts), finding.trace


@WIDE
@given(known_partly())
def test_an_open_duty_names_unknown_facts_and_nothing_else_names_any_as_deciding(both):
    _, part = both
    for finding in said(part).values():
        assert bool(finding.wants) == (finding.standing is Standing.OPEN), finding.trace
        assert not set(finding.wants) & set(part), finding.trace
        assert set(finding.wants) <= set(vocabulary().entries)
        assert bool(finding.doubts) == bool(finding.lifts)


@WIDE
@given(known_wholly())
def test_nothing_is_open_once_everything_is_known(whole):
    assert not [finding.trace for finding in said(whole).values() if finding.standing is Standing.OPEN]


@WIDE
@given(known_partly(), st.randoms(use_true_random=False))
def test_the_same_facts_in_another_order_and_asked_again_give_the_same_answer(both, chance):
    _, part = both
    shuffled = list(part.items())
    chance.shuffle(shuffled)
    assert said(part) == said(dict(shuffled)) == said(part)


@WIDE
@given(known_partly(), st.sampled_from(PLACES), st.sampled_from(NUMBERS[1:]))
def test_people_of_one_place_never_take_away_a_duty_of_a_law_of_another(both, place, number):
    _, part = both
    residents = dict(part.get("residents", {}))
    more = {**part, "residents": {**residents, place: residents.get(place, 0) + number}}
    if "residents" not in part:
        return
    for key in COUNTED & set(part) - {"pi_people_cn"}:
        more[key] = part[key] + number
    if place == "CN" and "pi_people_cn" in part:
        more["pi_people_cn"] = part["pi_people_cn"] + number
    before, after = said(part), said(more)
    for ref, finding in before.items():
        law = library()[finding.duty.law]
        if finding.standing in OWED and not places.within(place, law.place):
            assert after[ref].standing in OWED, (finding.trace, after[ref].trace)


@WIDE
@given(known_wholly(), st.integers(1, 60 * 24 * 40))
def test_a_later_start_never_gives_an_earlier_end(whole, minutes):
    """But for the hour, where a limit on a day off moves to noon, or to the end, of the next working day: one that would
    have ended that morning by itself does not move."""
    before = said(whole)
    for anchor in {finding.clock.anchor for finding in before.values() if finding.clock.state is ClockState.RUNNING}:
        after = said({**whole, anchor: whole[anchor] + timedelta(minutes=minutes)})
        for ref, finding in before.items():
            ends, then = finding.clock.due, after[ref].clock.due
            if finding.clock.anchor == anchor and ends and then and after[ref].standing is finding.standing:
                zone = library()[finding.duty.law].zone
                moved = (
                    "moves to" in finding.clock.words and then.astimezone(zone).date() == ends.astimezone(zone).date()
                )
                assert then >= ends or moved, (finding.clock.words, after[ref].clock.words)


@WIDE
@given(known_partly())
def test_every_answer_says_why_and_every_clock_that_runs_says_when_it_ends(both):
    _, part = both
    for finding in said(part).values():
        assert finding.because or finding.standing in OWED, finding.ref
        assert finding.clock.words
        if finding.clock.state is ClockState.RUNNING:
            assert " → " in finding.clock.words
        else:
            assert finding.clock.due is None


@WIDE
@given(known_partly())
def test_an_answer_without_its_words_is_the_same_answer(both):
    """What an update compares is what the pages would say."""
    _, part = both
    bare = rules.by_ref(rules.found(Facts(dict(part)), library(), calendars.of_law, TODAY, told=False))
    for ref, finding in said(part).items():
        other = bare[ref]
        assert (finding.standing, finding.clock.state, finding.clock.due, finding.clock.start, finding.wants) == (
            other.standing,
            other.clock.state,
            other.clock.due,
            other.clock.start,
            other.wants,
        )
