"""Enquiries: every turn in every state, answer times with their laws, drafts by likeness, figures."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from incident.domain import enquiries as rules
from incident.domain import places
from incident.domain.enquiries import Kind, Right, State, Terms, Turn
from incident.domain.errors import Invalid, Refused

TERMS = Terms(10, 30, ZoneInfo("Europe/Berlin"))
CAME = datetime(2026, 3, 6, 16, tzinfo=UTC)


def test_there_is_an_answer_for_every_turn_in_every_state():
    assert set(rules.TABLE) == {(state, turn) for state in State for turn in Turn}


@pytest.mark.parametrize(("pair", "then"), list(rules.TABLE.items()))
def test_a_turn_leads_where_the_table_says_or_is_refused_in_words(pair, then):
    if then is None:
        with pytest.raises(Refused):
            rules.turned(*pair)
    else:
        assert rules.turned(*pair) is then


def test_a_question_is_answered_by_the_end_of_the_last_promised_day_where_the_organisation_is():
    found = rules.promised(Kind.QUESTION, CAME, TERMS)
    assert found.due_at.astimezone(TERMS.zone) == datetime(2026, 3, 16, 23, 59, 59, tzinfo=TERMS.zone)
    assert found.rule == "house"


@pytest.mark.parametrize(
    ("right", "place", "rule", "last"),
    [
        ("access", "DE", "eu-gdpr", (2026, 4, 6)),
        ("objection", "NO", "eu-gdpr", (2026, 4, 6)),
        ("access", "GB", "gb-uk-gdpr", (2026, 4, 6)),
        ("erasure", "US-CA", "us-ca-ccpa", (2026, 4, 20)),
        ("access", "BR", "br-lgpd", (2026, 3, 21)),
        ("access", "TW", "tw-pdpa-access", (2026, 3, 21)),
        ("erasure", "TW", "tw-pdpa", (2026, 4, 5)),
        ("portability", "SA", "sa-pdpl", (2026, 4, 5)),
        ("erasure", "BR", "house", (2026, 4, 5)),
        ("access", "US-TX", "house", (2026, 4, 5)),
        ("access", "", "house", (2026, 4, 5)),
    ],
)
def test_a_request_is_answered_by_the_law_where_they_live_else_as_the_house_promises(right, place, rule, last):
    found = rules.promised(Kind.REQUEST, CAME, TERMS, right=right, place=place)
    local = found.due_at.astimezone(TERMS.zone)
    assert (found.rule, (local.year, local.month, local.day)) == (rule, last)


def test_every_time_of_a_law_has_places_rights_an_article_an_address_and_the_day_it_was_read():
    for one in rules.times():
        assert one.places, one.id
        assert all(place in places.groups() or places.is_place(place) for place in one.places), one.id
        assert one.rights, one.id
        assert one.href.startswith("https://"), one.id
        assert one.read_on, one.id
        assert one.cite in rules.rule_words(one.id)
    assert len({one.id for one in rules.times()}) == len(rules.times())
    assert rules.rule_words("house") == "as your organisation promises"


def test_too_little_and_too_much_text_is_refused_by_its_field():
    assert rules.text("  two\r\nlines  \n") == "two\nlines"
    for wrong in ("", " x ", "x" * 4_001):
        with pytest.raises(Invalid) as refused:
            rules.text(wrong, "reason")
        assert refused.value.field == "reason"


@pytest.mark.parametrize("call", [rules.right, rules.verdict])
def test_words_that_are_on_no_list_are_refused(call):
    with pytest.raises(Invalid):
        call("other")
    assert rules.right("access") is Right.ACCESS


def test_the_most_alike_question_comes_first_and_what_has_nothing_in_common_not_at_all():
    answered = [
        ("cards", "Was my card number stolen?"),
        ("when", "When did this happen to my data?"),
        ("none", "Öffnungszeiten"),
        ("zh", "我的银行卡号是否泄露"),
    ]
    assert [name for name, _ in rules.nearest("is my card number safe", answered)] == ["cards"]
    assert rules.nearest("银行卡号泄露了吗", answered)[0][0] == "zh"
    assert rules.nearest("", answered) == []


def test_figures_leave_out_what_was_joined_and_take_the_middle_of_the_hours():
    day = timedelta(days=1)
    rows = [
        ("open", "question", CAME, CAME + day, None),
        ("open", "question", CAME, CAME + 9 * day, None),
        ("answered", "request", CAME, CAME + day, CAME + timedelta(hours=2)),
        ("answered", "question", CAME, CAME + day, CAME + timedelta(hours=48)),
        ("merged", "question", CAME, CAME + day, None),
    ]
    found = rules.figures(rows, CAME + 2 * day)
    assert (found.all, found.open, found.late, found.answered, found.in_time, found.requests) == (4, 2, 1, 2, 1, 1)
    assert found.median_hours == 25
    assert rules.figures([], CAME).median_hours is None
