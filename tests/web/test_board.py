"""The board: what the filters keep, what is folded, and how much it costs."""

import re
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from sqlalchemy import event

from incident import clock
from incident.actions import intake
from incident.domain import editions
from incident.domain.access import Role
from incident.store import obligations as rows
from incident.store.db import db
from incident.web import board, marks
from tests.actions.test_law_updates import FACTS as OLD_FACTS
from tests.actions.test_law_updates import NOW as OLD
from tests.actions.test_law_updates import newer
from tests.actions.test_waves import say, two_waves
from tests.builders import an_incident

STATES = ("TX", "NY", "FL", "OH", "WA", "GA", "VA", "OR")


@pytest.fixture
def many(app):
    """An incident that owes duties in the Union, in the United Kingdom and in eight states."""
    return an_incident(
        facts={
            "personal_data": True,
            "residents": {"DE": 500, "GB": 40, **{f"US-{state}": 900 for state in STATES}},
            "role": "controller",
            "aware_at": (clock.now() - timedelta(hours=1)).isoformat(),
            "risk_to_people": "high",
            "data_kinds": ["name", "ssn"],
            "properties": ["confidentiality"],
            "encryption": "none",
        }
    )


def page(browser, incident, **asked):
    reply = browser.get(f"/incidents/{incident.ref}/duties/", query_string=asked)
    assert reply.status_code == 200
    return reply.text


def listed(text):
    """The titles on the list, and not what stands on plot, questions or banner."""
    return text.split("data-arrows")[1].split("</section>")[0]


def test_the_search_looks_into_titles_laws_places_and_citations(as_, many):
    browser = as_(Role.LEAD)
    for words in ("texas", "521.053", "us-tx"):
        found = listed(page(browser, many, only="all", q=words))
        assert "Texas" in found
        assert "Report to the supervisory authority" not in found


def test_filters_narrow_and_say_so_when_nothing_is_left(as_, many):
    browser = as_(Role.LEAD)
    assert "Texas" not in listed(page(browser, many, only="all", place="GB"))
    assert "ICO" in listed(page(browser, many, only="all", place="GB"))
    assert "Report to the supervisory authority" not in listed(page(browser, many, to="individuals"))
    assert "Report to the supervisory authority" in listed(page(browser, many, to="authority", law="EU-GDPR"))
    nothing = page(browser, many, q="no such law anywhere")
    assert "No duty fits these filters" in nothing
    assert "Clear the filters" in nothing


def test_the_filter_by_confidence_keeps_only_what_was_read_so(as_, many):
    kept = listed(page(as_(Role.LEAD), many, only="owed", confidence="verified", fold="no"))
    assert "read in the law" in kept
    assert "from memory" not in kept
    assert "secondary source" not in kept


def test_words_that_nobody_offers_ask_for_everything(as_, many):
    assert "supervisory authority" in page(
        as_(Role.LEAD), many, only="nonsense", to="nobody", confidence="sure", place=""
    )


def test_the_tabs_count_what_the_filters_leave(as_, many):
    text = page(as_(Role.LEAD), many, only="all", law="EU-GDPR")
    number = sum(1 for row in rows.current(many.id).values() if row.law == "EU-GDPR")
    assert re.search(rf"All <small>{number}</small>", text)


def test_many_alike_are_folded_into_one_line_and_none_is_lost(as_, many):
    browser = as_(Role.LEAD)
    folded, plain = page(browser, many, to="individuals"), page(browser, many, to="individuals", fold="no")
    assert "laws of states (United States)" in folded
    assert "laws of states" not in plain
    refs = re.compile(r'id="(D-[A-Z0-9]+)"')
    assert set(refs.findall(listed(folded))) == set(refs.findall(listed(plain)))


def finding(law, due=None, **more):
    """A finding as the board reads it."""
    said = {
        "standing": "owed",
        "state": "proposed",
        "clock": "running",
        "late_seconds": None,
        "to": "individuals",
        "wave": "",
    }
    return SimpleNamespace(law=law, duty=f"{law}/tell-people", ref=law, due_at=due, **{**said, **more})


NOW = datetime(2026, 11, 22, 3, tzinfo=UTC)


def test_a_late_duty_is_never_folded_away():
    rows_ = [finding(f"US-{state}", NOW + timedelta(days=3)) for state in STATES]
    rows_.append(finding("US-CA", NOW - timedelta(hours=1)))
    found = board.items(rows_, fold=True, now=NOW)
    assert [len(item.rows) for item in found] == [1, len(STATES)]
    assert found[0].rows[0].law == "US-CA"


def test_few_alike_stay_apart():
    found = board.items([finding(f"US-{state}", NOW) for state in STATES[: board.MANY - 1]], fold=True, now=NOW)
    assert [len(item.rows) for item in found] == [1] * (board.MANY - 1)


def test_a_fold_stands_where_its_soonest_stands():
    states = [finding(f"US-{state}", NOW + timedelta(days=day + 2)) for day, state in enumerate(STATES)]
    other = finding("EU-GDPR", NOW + timedelta(days=4))
    found = board.items([other, *states], fold=True, now=NOW)
    assert [item.key for item in found] == [states[0].ref, "EU-GDPR"]


@pytest.mark.parametrize(
    ("more", "look"),
    [
        ({"due_at": NOW - timedelta(1)}, "late"),
        ({"due_at": NOW + timedelta(1)}, "owed"),
        ({"clock": "on_hold"}, "held"),
        ({"standing": "advised", "due_at": NOW - timedelta(1)}, "advised"),
        ({"standing": "open", "due_at": NOW - timedelta(1)}, "open"),
        ({"state": "met", "due_at": NOW - timedelta(1)}, "met"),
        ({"state": "waived"}, "waived"),
        ({"standing": "not_owed"}, "not_owed"),
    ],
)
def test_every_standing_has_a_mark_of_its_own(more, look):
    row = SimpleNamespace(**{"standing": "owed", "state": "proposed", "clock": "running", "due_at": None, **more})
    assert marks.look(row, NOW) == look


def test_no_two_marks_share_a_sign():
    assert len({mark.sign for mark in marks.MARKS.values()}) == len(marks.MARKS)


@pytest.mark.parametrize("only", ["owed", "open", "all"])
def test_the_board_asks_the_database_at_most_twelve_times(as_, app, many, only):
    browser, asked = as_(Role.LEAD), []
    page(browser, many, only=only)

    @event.listens_for(db.engine, "before_cursor_execute")
    def count(_c, _cu, statement, *_):
        asked.append(statement)

    page(browser, many, only=only)
    event.remove(db.engine, "before_cursor_execute", count)
    assert len([statement for statement in asked if statement.startswith("SELECT")]) <= 12


def test_what_changed_is_listed_before_it_is_accepted(as_, many):
    text = page(as_(Role.LEAD), many)
    assert "became owed" in text
    banner = text.split('id="changed"')[1].split("</section>")[0]
    assert "Accept all" in banner
    assert "Report to the supervisory authority" in banner


def test_who_may_not_decide_or_answer_sees_no_such_button(as_, many):
    text = page(as_(Role.AUDITOR), many)
    assert "Accept all" not in text
    assert "duties/questions/" not in text.replace('duties/questions"', "")


def test_the_table_follows_the_filters(as_, many):
    browser = as_(Role.AUDITOR)
    whole = browser.get(f"/incidents/{many.ref}/duties/duties.csv").text
    some = browser.get(f"/incidents/{many.ref}/duties/duties.csv", query_string={"only": "owed", "law": "EU-GDPR"}).text
    assert whole.count("\n") > some.count("\n") > 1
    assert all(",EU-GDPR," in line for line in some.splitlines()[1:])


def test_a_duty_page_shows_all_that_the_law_asks(as_, many):
    row = rows.current(many.id)["US-WA/tell-people"]
    text = as_(Role.PRIVACY).get(f"/incidents/{many.ref}/duties/{row.ref}").text
    for words in (
        "What it must say",
        "How it is done",
        "Ways that the law allows",
        "What could lift it",
        "How well it was read",
    ):
        assert words in text


def test_stages_of_one_report_stand_together(as_):
    incident = an_incident(
        facts={
            "residents": {"DE": 500},
            "establishments": ["DE"],
            "entity": ["nis2_essential"],
            "significant_incident": True,
            "aware_at": clock.now().isoformat(),
        }
    )
    row = rows.current(incident.id)["EU-NIS2/early-warning"]
    text = as_(Role.PRIVACY).get(f"/incidents/{incident.ref}/duties/{row.ref}").text
    stages = text.split('class="stages"')[1].split("</ol>")[0]
    assert stages.count("<li") >= 3
    assert stages.count('aria-current="step"') == 1


def instead(browser, incident, duty="US-WA/tell-people"):
    """What the page says of notice in place of telling each person."""
    text = browser.get(f"/incidents/{incident.ref}/duties/{rows.current(incident.id)[duty].ref}").text
    return text.split("Instead of telling each person")[1].split("</dd>")[0]


def test_substitute_notice_is_proposed_only_when_its_ground_is_shown(as_, many):
    browser = as_(Role.PRIVACY)
    assert "open for want of" in instead(browser, many)
    for key, value, words in (
        ("hard_to_reach", True, "allowed: proposed"),
        ("notice_cost", 9_000_000, "allowed: proposed"),
    ):
        intake.record_facts(many.ref, {key: value}, source="", confidence="", actor="U-0TEST000", now=clock.now())
        assert words in instead(browser, many)
        intake.record_facts(many.ref, {key: None}, source="", confidence="", actor="U-0TEST000", now=clock.now())


def test_an_exception_says_whether_it_is_shown_and_what_would_show_it(as_, many):
    row = rows.current(many.id)["US-WA/tell-people"]
    text = as_(Role.PRIVACY).get(f"/incidents/{many.ref}/duties/{row.ref}").text
    lifts = text.split("What could lift it")[1].split("</section>")[0]
    assert "does not hold by what is known" in lifts
    assert "open for want of" in lifts


def test_a_wave_of_people_found_later_is_folded_and_drawn_apart():
    first = [finding(f"US-{state}", NOW + timedelta(days=3)) for state in STATES]
    later = [finding(f"US-{state}", NOW + timedelta(days=30), wave="wave 2") for state in STATES]
    found = board.items([*first, *later], fold=True, now=NOW)
    assert [len(item.rows) for item in found] == [len(STATES)] * 2
    assert ["wave 2" in item.title for item in found] == [False, True]


def test_the_board_names_the_wave_for_which_a_duty_is(as_):
    incident = two_waves()
    say(incident)
    text = page(as_(Role.LEAD), incident, only="all", law="US-TX", fold="no")
    assert "wave 2" in listed(text)
    assert "wave 2: " in text.split("<svg")[1].split("</svg>")[0]


def test_a_finding_of_an_older_law_is_shown_by_the_text_that_made_it(as_, app):
    incident = an_incident(facts=OLD_FACTS, now=OLD)
    row = rows.current(incident.id)["EU-GDPR/tell-authority"]
    editions.use(newer(changed={"eu/gdpr.toml": ("Art. 33(1)", "Art. 99")}))
    try:
        text = as_(Role.LEAD).get(f"/incidents/{incident.ref}/duties/{row.ref}").text
    finally:
        editions.use(None)
    assert "the text by which it was found" in text
    assert "Art. 33(1)" in text
    assert "Art. 99" not in text
