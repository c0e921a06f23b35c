"""Starter texts in their layouts, filled for one person, by every channel and language."""

import re
from dataclasses import replace
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from incident.domain import layouts, merges, phrases, starters
from incident.domain.errors import Invalid
from incident.domain.facts import Facts
from incident.domain.notices import SECTIONS, Channel, Text
from incident.domain.people import Addressee
from incident.domain.segments import Alphabet, length
from incident.domain.wording import PERSON, Unfilled, for_header, for_html, for_sms, one_line

SITE = "https://incidents.example.org"
FACTS = Facts(
    {
        "occurred_from": datetime(2026, 11, 10, 23, 30, tzinfo=UTC),
        "aware_at": datetime(2026, 11, 18, 8, 10, tzinfo=UTC),
        "people_count": 48210,
        "exfiltration": "confirmed",
        "malicious": True,
    }
)
COMPANY = {
    "name": "Example & Sons",
    "contact": "Data protection office",
    "email": "privacy@example.org",
    "phone": "+49 30 5550100",
    "address": "Sample Street 1\n10115 Berlin",
}


def values(language: str) -> dict[str, str]:
    around = starters.words(language)
    shared = merges.house_values(COMPANY, site=SITE, ref="N-7K3MXW2Q", day=date(2026, 11, 20), words=around)
    return shared | merges.fact_values(FACTS, around, ZoneInfo("Europe/Berlin"))


def person(language: str, name: str = "Kim O'Neil") -> dict[str, str]:
    return merges.person_values(somebody(name), starters.words(language))


def somebody(name: str) -> Addressee:
    return Addressee(
        7, name, "kim@example.org", "", (), "", "en", "DE", name, ("email", "password"), code="7-0000000000"
    )


@pytest.mark.parametrize("language", starters.languages())
def test_every_starter_text_is_whole_and_can_be_read(language):
    text = starters.text(language)
    assert text.subject
    assert text.sms
    assert text.call
    assert text.push_title
    assert text.push_body
    assert all(text.sections[name] for name in SECTIONS)
    page = layouts.sheet(text, site=SITE)
    assert [part.section for part in page.parts] == list(SECTIONS)


@pytest.mark.parametrize("language", starters.languages())
@pytest.mark.parametrize("channel", [c for c in Channel if c is not Channel.ANNOUNCEMENT])
def test_every_channel_is_filled_without_a_blank(language, channel):
    made = layouts.composed(layouts.sheet(starters.text(language), site=SITE), channel, values(language))
    assert set(made.fields) <= set(PERSON)
    for pattern, escape in ((made.subject, for_header), (made.text, one_line), (made.html, for_html)):
        if pattern is not None:
            assert "{{" not in pattern.filled(person(language), escape)


def test_the_email_holds_headings_values_and_the_way_to_check_it():
    made = layouts.composed(layouts.sheet(starters.text("en"), site=SITE), Channel.EMAIL, values("en"))
    text = made.text.filled(person("en"), one_line)
    assert (
        made.subject.filled(person("en"), for_header) == "Notice of data breach: your personal data at Example & Sons"
    )
    assert "Dear Kim O'Neil,\n\nWhat happened\n\nOn 11 November 2026, personal data" in text
    assert "We became aware of it on 18 November 2026." in text
    assert f"open {SITE}/check and enter the reference N-7K3MXW2Q" in text
    assert "Post: Sample Street 1, 10115 Berlin" in text


@pytest.mark.parametrize("language", starters.languages())
def test_a_personal_email_tells_how_to_check_it_by_ones_own_code(language):
    page = layouts.sheet(starters.text(language), site=SITE, personal=True)
    made = layouts.composed(page, Channel.EMAIL, values(language))
    text = made.text.filled(person(language), one_line)
    assert f"{SITE}/check/N-7K3MXW2Q-7-0000000000" in text
    sms = layouts.composed(page, Channel.SMS, values(language)).text
    assert f"{SITE}/check/N-7K3MXW2Q-7-0000000000" in sms.filled(person(language), for_sms)
    for channel in (Channel.PUSH, Channel.CALL):  # a locked screen is read by others, and nobody writes down 24 letters
        assert "person.code" not in layouts.composed(page, channel, values(language)).fields


def test_the_html_is_escaped_and_fetches_nothing():
    made = layouts.composed(layouts.sheet(starters.text("en"), site=SITE), Channel.EMAIL, values("en"))
    html = made.html.filled(person("en", name="<img src=x onerror=alert(1)>"), for_html)
    assert "<img" not in html
    assert "&lt;img src=x" in html
    assert "Example &amp; Sons" in html
    assert not re.search(r"<(?:img|script|link|iframe|form)\b|src=|url\(", html.replace("&lt;img src=x", ""))
    assert html.startswith('<!doctype html>\n<html lang="en">')


def test_the_chinese_text_says_days_and_kinds_in_chinese():
    made = layouts.composed(layouts.sheet(starters.text("zh-Hans"), site=SITE), Channel.EMAIL, values("zh-Hans"))
    text = made.text.filled(person("zh-Hans", name="王芳"), one_line)
    assert "王芳，您好：" in text
    assert "2026年11月11日，我们持有的您的个人信息" in text
    assert "、" in person("zh-Hans")["person.exposed"]


def test_california_headings_stand_in_the_order_of_the_law_and_help_under_the_third():
    text = Text("en", subject="Notice", greeting="Hello,", sections={name: f"About {name}." for name in SECTIONS})
    page = layouts.sheet(text, site=SITE, california=True)
    assert page.title == "Notice of Data Breach"
    assert [part.heading for part in page.parts] == [
        "What Happened",
        "What Information Was Involved",
        "What We Are Doing",
        "What You Can Do",
        "For More Information",
    ]
    assert len(page.parts[2].prose) == 2


def test_an_empty_section_has_no_heading():
    page = layouts.sheet(Text("en", sections={"what_happened": "This."}), site=SITE)
    assert [part.section for part in page.parts] == ["what_happened"]


def test_a_mistake_names_the_part_of_the_text():
    with pytest.raises(Invalid) as refusal:
        layouts.sheet(Text("en", sections={"what_we_do": "{{ person.mail }}"}), site=SITE)
    assert refusal.value.field == "what_we_do"


def test_a_person_without_a_name_is_an_error_not_a_blank_greeting():
    made = layouts.composed(layouts.sheet(starters.text("en"), site=SITE), Channel.EMAIL, values("en"))
    with pytest.raises(Unfilled) as refusal:
        made.text.filled(person("en", name=""), one_line)
    assert refusal.value.field == "person.name"


def test_an_unknown_fact_stays_open_when_composing_and_is_named():
    known = {name: value for name, value in values("en").items() if name != "fact.occurred_from"}
    made = layouts.composed(layouts.sheet(starters.text("en"), site=SITE), Channel.SMS, known)
    assert made.fields == ("fact.occurred_from", "person.code")


def test_an_announcement_greets_nobody():
    made = layouts.composed(layouts.sheet(starters.text("en"), site=SITE), Channel.ANNOUNCEMENT, values("en"))
    assert "person.name" not in made.fields


def test_the_english_text_message_stays_in_the_short_alphabet():
    made = layouts.composed(layouts.sheet(starters.text("en"), site=SITE), Channel.SMS, values("en"))
    measured = length(made.text.filled(person("en"), for_sms))
    assert (measured.alphabet, measured.costly) == (Alphabet.GSM7, ())
    assert measured.segments == 2


def test_facts_in_words():
    english, chinese = starters.words("en"), starters.words("zh-Hans")
    assert merges.fact_words("people_count", 48210, english) == "48,210"
    assert merges.fact_words("malicious", True, chinese) == "是"
    assert merges.fact_words("exfiltration", "confirmed", english) == "Yes"
    assert merges.fact_words("exfiltration", "confirmed", chinese) == phrases.words(
        "exfiltration", "confirmed", UTC, "zh"
    )
    assert merges.fact_words("no_such_fact", 1, english) == ""


def test_the_day_follows_the_zone_of_the_organisation():
    instant = datetime(2026, 11, 10, 23, 30, tzinfo=UTC)
    assert (
        merges.fact_words("occurred_from", instant, starters.words("en"), ZoneInfo("Asia/Shanghai"))
        == "11 November 2026"
    )
    assert merges.fact_words("occurred_from", instant, starters.words("en"), UTC) == "10 November 2026"


def test_what_is_said_of_everybody_stands_in_the_announcement_alone():
    shared = values("en") | merges.everybody(("email", "password"), starters.words("en"))
    page = layouts.sheet(starters.text("en"), site=SITE)
    assert "person.exposed" in layouts.composed(page, Channel.EMAIL, shared).fields
    assert "person.exposed" not in layouts.composed(page, Channel.ANNOUNCEMENT, shared).fields


def test_a_masked_person_shows_no_name_and_hides_no_gap():
    around = starters.words("en")
    assert merges.masked_person(somebody("Kim O'Neil"), around)["person.name"] == "K••• O•••"
    assert "person.name" not in merges.masked_person(somebody(""), around)


def test_an_email_in_a_language_that_is_written_from_the_right_says_so():
    page, said = layouts.sheet(starters.text("en"), site=SITE), values("en")
    turned = layouts.composed(replace(page, language="ar"), Channel.EMAIL, said)
    assert turned.html is not None
    assert '<html lang="ar" dir="rtl">' in str(turned.html.pieces[0])
    assert "dir=" not in str(layouts.composed(page, Channel.EMAIL, said).html)
