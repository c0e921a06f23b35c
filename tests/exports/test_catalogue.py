"""Mails and messages to people who work here, in the language of their account."""

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from incident.domain import reminder_texts as texts
from incident.domain import team_mails
from incident.domain.reminder_texts import Case, Due
from incident.domain.speech import GAP, english
from incident.domain.team_mails import Kind
from incident.exports.catalogue import said, speaker

NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)
CHINESE = speaker("zh-Hans")
ENGLISH_WORDS = re.compile("[a-z]{3,}(?: [a-z]{2,})+")
SITE = "https://tocsin.example.org"


def a_due(hours: float, title: str = "Report to the supervisory authority") -> Due:
    due_at = NOW + timedelta(hours=hours)
    return Due(title, "GDPR", due_at, due_at - timedelta(hours=12), NOW - timedelta(days=3))


def a_reminder(*duties: Due, say=CHINESE, is_drill: bool = False, undecided: int = 0) -> texts.Words:
    case = Case("INC-2026-0001", is_drill, f"{SITE}/incidents/INC-2026-0001/reminders/", undecided)
    return texts.words(case, duties, zone=ZoneInfo("Europe/Berlin"), now=NOW, say=say)


@pytest.mark.parametrize("is_drill", [False, True])
@pytest.mark.parametrize("number", [1, 2, 25])
@pytest.mark.parametrize("undecided", [0, 1, 3])
def test_a_reminder_is_chinese_from_its_subject_to_its_end(is_drill, number, undecided):
    found = a_reminder(*(a_due(4.2 - hour) for hour in range(number)), is_drill=is_drill, undecided=undecided)
    for text in (found.subject, found.text, found.short):
        assert not ENGLISH_WORDS.search(text), text
        assert "INC-2026-0001" in text


def test_a_reminder_says_in_chinese_what_it_says_in_english():
    one = a_due(4.5)
    assert a_reminder(one).subject == "INC-2026-0001：4 小时 30 分后到期：向监管机构报告 (GDPR)"
    assert a_reminder(one, say=english).subject == (
        "INC-2026-0001: due in 4 h 30 min: Report to the supervisory authority (GDPR)"
    )
    assert "到期时间 2026年11月20日 14:30 柏林" in a_reminder(one).text


def test_what_is_said_of_a_public_page_is_chinese():
    case = Case("INC-2026-0001", True, f"{SITE}/incidents/INC-2026-0001/public/")
    found = texts.page_words(case, [("2026-11-20-abcd", "does not answer")], CHINESE)
    for line in (found.subject, found.text, found.short):
        assert not ENGLISH_WORDS.search(line.replace("does not answer", "")), line


@pytest.mark.parametrize("kind", list(Kind))
def test_every_mail_to_the_team_has_its_chinese(kind):
    about = {name: f"7{number}" for number, name in enumerate(GAP.findall(team_mails.TEXTS[kind]))}
    about = {name: value for name, value in about.items() if name not in {"site", "where"}}
    subject, text = team_mails.words(kind, about, site=SITE, say=CHINESE)
    assert not ENGLISH_WORDS.search(subject + text.replace("openssl ts", "")), text
    assert all(value in text for value in about.values())
    assert "{" not in text


def test_a_signed_statement_stays_letter_by_letter():
    note = "tocsin.example.org/record\n84\nyes, no; 21 Nov 2026\n\n— key abc\n"
    _, text = team_mails.words(Kind.CHECKPOINT, {"size": 84, "note": note, "key": "k+1+AAAA"}, site=SITE, say=CHINESE)
    assert note in text


def test_who_gained_what_is_said_in_chinese():
    about = {"person": "U-1", "asker": "U-2", "gained": ["approver", "lead"], "second": "with the yes of U-3"}
    _, text = team_mails.words(Kind.ROLES_CHANGED, about, site=SITE, say=CHINESE)
    assert text.startswith("U-1 获得了：审批人，负责人。由 U-2 申请，由 U-3 同意。")


def test_a_language_that_is_not_offered_is_answered_in_english():
    assert speaker("tlh") is english
    assert said("Nothing known moves it.", "en") == "Nothing known moves it."


def test_a_list_with_an_english_sentence_in_it_stays_whole():
    sentence = "in force, with a part that nobody has ever put into the catalogue"
    assert said(sentence, "zh-Hans") == sentence
