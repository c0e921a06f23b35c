"""Whom e-mail reaches despite a list of its provider: decided in the draft, bound by the approval, done by the channel."""

import json
from datetime import UTC, datetime

import pytest

from incident.actions import notices, people, reported
from incident.actions.merging import messages
from incident.domain.deliveries import Pace
from incident.domain.errors import Invalid, Refused
from incident.domain.notices import Channel, lists_passed_over
from incident.domain.people import Addressee
from incident.store import notices as rows
from notifiers.contract import Callback, Despite
from notifiers.memory import Memory
from notifiers.sendgrid_email import SendgridEmail
from tests.actions.test_notices import change, submit, version
from tests.actions.waves import Story
from tests.builders import WHO_WRITES, a_notice, an_incident, notice_row
from tests.fakes.sendgrid import KEY, FakeSendGrid

NOW = datetime(2026, 3, 6, 16, tzinfo=UTC)
AUTHOR, EDITOR, APPROVER = "U-0AUTHOR0", "U-0EDITOR0", "U-0APPROV0"
KIM = Addressee(1, "Kim One", "kim@example.org", "", (), "", "en", "DE", "Kim One", ("email",), code="1-0000000000")


@pytest.fixture
def incident(app):
    found = an_incident(now=NOW)
    given = {"name": "Kim One", "email": "kim.one@example.org", "place": "DE", "exposed": "email"}
    people.add(found.ref, given, actor=AUTHOR, now=NOW)
    return found


def save(incident, ref, **changes):
    wanted = change(incident, ref, **changes)
    notices.save(incident.ref, ref, wanted, revision=notice_row(incident, ref).revision, actor=EDITOR, now=NOW)


def frame_of(incident, ref):
    [message] = messages(version(incident, ref), [("R1", "D-1.1", KIM)], "email")
    return message.frame


def test_unless_somebody_decides_otherwise_a_notice_reaches_the_unsubscribed_and_those_who_complained(incident):
    ref = a_notice(incident, author=AUTHOR)
    submit(incident, ref)
    assert version(incident, ref).contents["despite"] == ["unsubscribed", "complained"]
    assert frame_of(incident, ref).despite == (Despite.UNSUBSCRIBED, Despite.COMPLAINED)


@pytest.mark.parametrize("chosen", [(), (Despite.UNSUBSCRIBED,), (Despite.COMPLAINED,)])
def test_what_the_author_chose_is_what_the_channel_is_told(incident, chosen):
    ref = a_notice(incident, author=AUTHOR)
    save(incident, ref, despite=chosen)
    submit(incident, ref)
    assert version(incident, ref).contents["despite"] == [str(word) for word in chosen]
    assert frame_of(incident, ref).despite == chosen


def test_another_choice_is_another_digest_and_voids_the_approval(incident):
    ref = a_notice(incident, author=AUTHOR)
    submit(incident, ref)
    first = version(incident, ref)
    notices.approve(incident.ref, ref, digest=first.digest, people="1", house=WHO_WRITES, actor=APPROVER, now=NOW)
    save(incident, ref, despite=())
    assert notice_row(incident, ref).stage == "draft"
    with pytest.raises(Refused):
        notices.approved_version(ref)
    submit(incident, ref)
    assert version(incident, ref).digest != first.digest


def test_a_change_that_says_nothing_of_it_leaves_the_choice(incident):
    ref = a_notice(incident, author=AUTHOR)
    save(incident, ref, despite=(Despite.UNSUBSCRIBED,))
    save(incident, ref, title="Another title")
    assert notice_row(incident, ref).despite == ["unsubscribed"]


def test_a_notice_begun_from_another_takes_its_choice(incident):
    ref = a_notice(incident, author=AUTHOR)
    save(incident, ref, despite=())
    other = notices.draft(incident.ref, "Like it", like=ref, actor=AUTHOR, now=NOW)
    assert notice_row(incident, other).despite == []


def test_a_notice_without_e_mail_decides_nothing_of_the_kind(incident):
    ref = a_notice(incident, author=AUTHOR)
    save(incident, ref, channels=(Channel.LETTER,))
    submit(incident, ref)
    assert "despite" not in version(incident, ref).contents


def test_a_version_from_before_there_was_a_choice_goes_out_as_it_was_approved(incident):
    ref = a_notice(incident, author=AUTHOR)
    submit(incident, ref)
    found = version(incident, ref)
    old = {name: value for name, value in found.contents.items() if name != "despite"}
    [message] = messages(rows.NoticeVersion(contents=old), [("R1", "D-1.1", KIM)], "email")
    assert message.frame.despite == (Despite.UNSUBSCRIBED, Despite.COMPLAINED)


@pytest.mark.parametrize(
    ("chosen", "texted"),
    [
        (tuple(Despite), []),
        ((Despite.UNSUBSCRIBED,), ["+4915112345003"]),
        ((Despite.COMPLAINED,), ["+4915112345002"]),
        ((), ["+4915112345002", "+4915112345003"]),
    ],
)
def test_whoever_is_on_a_list_that_is_not_passed_over_is_told_by_the_next_channel(app, chosen, texted):
    incident = an_incident(now=NOW)
    for number in (1, 2, 3):
        record = {"name": f"Person {number}", "place": "DE", "exposed": "email", "phone": f"+4915112345{number:03}"}
        people.add(incident.ref, record | {"email": f"p{number}@example.org"}, actor=AUTHOR, now=NOW)
    ref = a_notice(incident, author=AUTHOR, now=NOW)
    save(incident, ref, despite=chosen)
    submit(incident, ref)
    digest = version(incident, ref).digest
    notices.approve(incident.ref, ref, digest=digest, people="3", house=WHO_WRITES, actor=APPROVER, now=NOW)
    with FakeSendGrid() as server:
        server.unsubscribed, server.complained = {"p2@example.org"}, {"p3@example.org"}
        email = SendgridEmail(KEY, "n@us.example", url=server.url, public_key=server.public_key, seconds=5)
        story = Story(incident, ref, real={"email": email, "sms": Memory("sms")})
        story.start(pace=Pace(most_back=100))
        story.work()
        body = json.dumps(server.events()).encode()
        headers = {name.lower(): value for name, value in server.signed(body).items()}
        reported.take_in("sendgrid", "email", email.events(Callback("", headers, body)), now=story.clock())
        story.work()
    assert sorted(message.to for message in story.real["sms"].sent) == texted
    assert story.counts() == {key: n for key, n in {"delivered": 3 - len(texted), "accepted": len(texted)}.items() if n}


def test_only_lists_that_there_are_can_be_named():
    assert lists_passed_over(["complained", "unsubscribed", "complained"]) == tuple(Despite)
    with pytest.raises(Invalid):
        lists_passed_over(["bounced"])
