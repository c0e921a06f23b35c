"""Whoever writes or approves a notice can read how an automatic call will sound, masked as everything there."""

import pytest

from incident.actions import previews
from incident.actions.previews import Wording
from incident.domain import starters
from incident.domain.notices import Channel
from tests.builders import an_incident

VALUES = {
    "company.name": "Sample Shop",
    "contact.phone": "110",
    "contact.name": "The office",
    "contact.email": "a@example.org",
    "link.check": "https://us.example/notices/check",
    "notice.reference": "N-1",
    "fact.occurred_from": "5 March 2026",
}


@pytest.mark.parametrize(
    ("language", "lines"),
    [
        (
            "en",
            (
                "Hello. This is Sample Shop, with an important message for you.",
                "please call us at 1 1 0",
                "We are informing you of a security incident on 5 March 2026",
                "us.example/notices/check",
                "To hear this again, press 1.",
            ),
        ),
        (
            "zh-Hans",
            (
                "您好，这里是Sample Shop，有一条重要消息要告知您。",
                "请致电1 1 0",
                "发生的一起安全事件涉及您的个人信息",
                "重听请按1",
            ),
        ),
    ],
)
def test_the_starter_text_as_an_automatic_call(app, language: str, lines: tuple[str, ...]):
    incident = an_incident()
    seen = previews.masked(
        incident.id, {}, Wording(starters.text(language), VALUES, "https://us.example"), Channel.CALL
    )
    for line in lines:
        assert line in seen.spoken
    opening, _, told = seen.spoken.partition("[1]")
    assert "incident" not in opening
    assert "安全事件" not in opening
    assert told


def test_other_channels_are_not_spoken(app):
    wording = Wording(starters.text("en"), VALUES, "https://us.example")
    assert previews.masked(an_incident().id, {}, wording, Channel.SMS).spoken == ""
