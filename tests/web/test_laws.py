"""The law library on the screen: every law found, its clocks and how it was read, and where it is owed now."""

import csv
import io
import re
from datetime import timedelta

import pytest
from sqlalchemy import event

from incident import clock
from incident.actions.ledger import transaction
from incident.domain import editions, lawbook
from incident.domain.access import Role
from incident.store import users
from incident.store.db import db
from incident.web import lawwords
from tests.builders import an_incident


def page(browser, path, status=200, **asked):
    reply = browser.get(path, query_string=asked) if asked else browser.get(path)
    assert reply.status_code == status
    return reply.text


def test_every_law_is_on_the_pages_once(as_):
    browser, seen = as_(Role.ADMINISTRATOR), []
    text = page(browser, "/laws/")
    while True:
        seen += re.findall(r'class="law"><p><a href="/laws/([^"]+)"', text)
        more = re.search(r'href="(/laws/\?[^"]*after=[^"]+)">Show more', text)
        if not more:
            break
        text = page(browser, more[1].replace("&amp;", "&"))
    assert sorted(seen) == sorted(lawbook.library().laws)


def test_the_search_finds_names_articles_places_and_authorities(as_):
    browser = as_(Role.RESPONDER)
    for words, law in (("texas", "US-TX"), ("art. 33", "EU-GDPR"), ("information commissioner", "UK-GDPR")):
        assert f'"/laws/{law}"' in page(browser, "/laws/", q=words)
    assert "No law fits" in page(browser, "/laws/", q="nothing of the kind")


def test_filters_keep_what_was_asked_for(as_):
    browser = as_(Role.RESPONDER)
    california = page(browser, "/laws/", place="US", q="california")
    assert '"/laws/US-CA"' in california
    assert '"/laws/EU-GDPR"' not in page(browser, "/laws/", place="US")
    assert '"/laws/EU-GDPR"' not in page(browser, "/laws/", force="no")
    assert "No law fits" in page(browser, "/laws/", force="own")
    assert page(browser, "/laws/", force="nonsense", confidence="sure") == page(browser, "/laws/")


def test_a_law_shows_its_clocks_citations_and_its_file_as_it_is(as_):
    text = page(as_(Role.AUDITOR), "/laws/EU-GDPR")
    assert "72 hours from when you became aware" in text
    assert "“aware”" not in text
    assert "Art. 33(1)" in text
    assert "https://eur-lex.europa.eu/eli/reg/2016/679/oj" in text
    assert "[[duty]]" in text
    assert lawbook.library()["EU-GDPR"].digest in text


def test_a_law_names_its_moments_in_chinese(app, as_):
    browser = as_(Role.AUDITOR)
    users.by_ref(browser.ref).language = "zh-Hans"
    db.session.commit()
    text = page(browser, "/laws/EU-GDPR")
    assert "自贵方知悉之时起 72 小时" in text


@pytest.mark.parametrize("law", sorted(lawbook.library().laws))
def test_every_duty_of_every_law_has_words_for_its_clock(law):
    held = lawbook.library()[law]
    for duty in held.duties:
        words = lawwords.duty_words(duty, held)
        assert words.clocks
        assert all(words.clocks)
        assert words.to


def test_a_law_says_where_it_is_owed_now_and_tells_nobody_of_what_they_may_not_see(as_):
    aware = (clock.now() - timedelta(hours=2)).isoformat()
    facts = {
        "personal_data": True,
        "residents": {"DE": 5},
        "role": "controller",
        "risk_to_people": "high",
        "aware_at": aware,
    }
    seen, hidden = an_incident(title="Seen", facts=facts), an_incident(title="Hidden", facts=facts)
    with transaction("system", clock.now()) as ledger:
        hidden.restricted = True
        ledger.write("incident.restricted", hidden.ref, incident=hidden.ref)
    text = page(as_(Role.LEAD), "/laws/EU-GDPR")
    assert seen.ref in text
    assert hidden.ref not in text
    assert "Where it is owed" not in page(as_(Role.ADMINISTRATOR), "/laws/EU-GDPR")


def test_a_law_says_in_words_to_whom_it_speaks_and_when_each_duty_is_owed(as_):
    text = page(as_(Role.AUDITOR), "/laws/EU-GDPR")
    assert "Speaks to" in text
    assert "Set off by" in text
    assert "Risk to the people concerned" in text


@pytest.mark.parametrize("law", sorted(lawbook.library().laws))
def test_the_conditions_of_every_law_have_words(law):
    made = editions.shipped()
    held = made.book[law]
    text = next(text.data.decode() for text in made.texts if text.digest == held.digest)
    words = lawwords.conditions(held, text)
    assert words.scope or words.trigger or any(words.duties.values())


def test_an_unknown_law_is_not_found(as_):
    page(as_(Role.LEAD), "/laws/XX-NOTHING", 404)


def test_the_table_has_every_duty_and_follows_the_filters(as_):
    browser = as_(Role.RESPONDER)
    whole = list(csv.DictReader(io.StringIO(page(browser, "/laws/laws.csv"))))
    assert len(whole) == sum(len(law.duties) for law in lawbook.library())
    assert all(line["citation"] and line["confidence"] and line["clock"] for line in whole)
    some = list(csv.DictReader(io.StringIO(page(browser, "/laws/laws.csv", q="gdpr", place="EEA"))))
    assert {line["law"] for line in some} >= {"EU-GDPR"}
    assert {line["place"] for line in some} == {"EEA"}


def test_the_library_says_which_one_it_is(as_):
    text = page(as_(Role.RESPONDER), "/laws/")
    assert editions.current().version in text
    assert editions.current().digest[:12] in text


def test_the_library_asks_the_database_little(as_, app):
    browser, asked = as_(Role.LEAD), []
    page(browser, "/laws/")

    @event.listens_for(db.engine, "before_cursor_execute")
    def count(_c, _cu, statement, *_):
        asked.append(statement)

    page(browser, "/laws/")
    event.remove(db.engine, "before_cursor_execute", count)
    assert len([statement for statement in asked if statement.startswith("SELECT")]) <= 12
