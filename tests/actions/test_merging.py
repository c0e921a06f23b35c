"""Filling an approved version: each person their own text, nobody's gap another's delay."""

import time
from datetime import UTC, datetime

import pytest

from incident.actions import merging, people
from incident.actions.notices import approved_version, messages
from incident.domain.people import Addressee
from incident.domain.wording import Unfilled
from tests.builders import a_notice, a_text, an_incident

NOW = datetime(2026, 3, 6, 16, tzinfo=UTC)


@pytest.fixture
def version(app):
    return approved()


def approved(**more):
    incident = an_incident()
    people.add(
        incident.ref, {"name": "Kim One", "email": "kim@example.org", "exposed": "email"}, actor="U-0A000000", now=NOW
    )
    more = {"texts": (a_text(), a_text("zh-Hans", greeting="{{ person.name }}，您好：")), "stage": "approved"} | more
    return approved_version(a_notice(incident, **more))


def somebody(number=1, name="Kim One", language="en", exposed=("email",), **more):
    given = {
        "email": f"p{number}@example.org",
        "phone": "+4930123",
        "address": ("Street 1", "10115 Berlin"),
        "push_token": "tok",
    }
    return Addressee(
        number,
        name,
        **{**given, **more},
        language=language,
        place="DE",
        for_whom=name,
        exposed=exposed,
        code=f"{number}-0000000000",
    )


def one(version, person, channel="email"):
    (message,) = messages(version, [("R-1", "T-1", person)], channel)
    return message


def test_each_person_gets_their_own_text_under_their_own_reference(version):
    crowd = [(f"R-{n}", f"T-{n}", somebody(n, f"Person {n}")) for n in range(1, 4)]
    made = messages(version, crowd, "email")
    assert [(m.ref, m.thread, m.to) for m in made] == [(f"R-{n}", f"T-{n}", f"p{n}@example.org") for n in range(1, 4)]
    for number, message in enumerate(made, start=1):
        assert f"Dear Person {number}," in message.text
        assert f"Dear Person {number}," in message.html
        others = {f"Person {n}" for n in range(1, 4)} - {f"Person {number}"}
        assert not any(other in message.text + message.html for other in others)


def test_people_are_written_in_their_language_or_the_first(version):
    assert "您好" in one(version, somebody(language="zh-CN")).text
    assert one(version, somebody(language="zh-CN")).language == "zh-Hans"
    assert one(version, somebody(language="fr")).language == "en"


def test_people_of_two_languages_in_one_batch_keep_their_order_and_each_their_own_text(version):
    tongues = ["en", "zh-CN", "fr", "zh-Hans", "en"]
    crowd = [(f"R-{n}", f"T-{n}", somebody(n, f"Person {n}", language)) for n, language in enumerate(tongues)]
    crowd[4] = ("R-4", "T-4", somebody(4, ""))
    *made, gap = messages(version, crowd, "email")
    assert [(m.ref, m.language) for m in made] == [
        ("R-0", "en"),
        ("R-1", "zh-Hans"),
        ("R-2", "en"),
        ("R-3", "zh-Hans"),
    ]
    assert [f"Person {n}" in message.text for n, message in enumerate(made)] == [True] * 4
    assert isinstance(gap, Unfilled)


def test_nobody_is_written_to_where_there_is_nobody(version):
    assert messages(version, [], "email") == []


def test_whoever_lacks_a_value_is_named_and_nobody_else_waits(version):
    made = messages(
        version, [("R-1", "", somebody(1)), ("R-2", "", somebody(2, "")), ("R-3", "", somebody(3))], "email"
    )
    assert [type(m).__name__ for m in made] == ["Message", "Unfilled", "Message"]
    assert isinstance(made[1], Unfilled)
    assert made[1].field == "person.name"


def test_a_name_cannot_write_headers_markup_or_fields(version):
    message = one(version, somebody(name="Kim\r\nBcc: x@example.org <b>{{ company.name }}</b>"))
    assert "\n" not in message.subject
    assert "<b>" not in message.html
    assert "Dear Kim Bcc: x@example.org <b>{{ company.name }}</b>," in message.text


@pytest.mark.parametrize(
    ("channel", "to"),
    [
        ("email", "p1@example.org"),
        ("sms", "+4930123"),
        ("call", "+4930123"),
        ("letter", "Kim One\nStreet 1\n10115 Berlin"),
        ("push", "tok"),
    ],
)
def test_each_channel_has_its_address_and_its_part_of_the_text(app, channel, to):
    version = approved(channels=("email", "sms", "call", "letter", "push"))
    message = one(version, somebody(), channel)
    assert message.to == to
    assert message.text
    assert bool(message.html) is (channel in {"email", "letter"})


def test_a_letter_without_address_goes_nowhere(version):
    assert one(version, somebody(address=()), "letter").to == ""


def test_the_words_of_the_version_are_those_of_its_submission(app):
    version = approved()
    values = merging.values_of(version, "en")
    assert values["company.name"] == "Example"
    assert values["link.check"] == "http://localhost/check"
    assert not any(name.startswith("fact.") for name in values)  # only what the text uses is kept


def test_a_thousand_people_are_filled_in_a_tenth_of_a_second(version):
    crowd = [(f"R-{n}", f"T-{n}", somebody(n, f"Person {n}", exposed=("email", "password"))) for n in range(1_000)]
    messages(version, crowd[:10], "email")
    start = time.process_time()
    made = messages(version, crowd, "email")
    assert len(made) == 1_000
    assert time.process_time() - start < 0.1
