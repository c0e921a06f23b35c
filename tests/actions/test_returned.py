"""Returned mail: by scan and by list, every row accounted for, repeats and mistakes without harm."""

import io

import pytest

from incident.actions import correcting, people, reported, returned
from incident.actions.returned import Verdict
from incident.domain import letters as rules
from incident.domain.errors import Invalid, Missing
from incident.exports.csv import rows as csv_rows
from incident.store import letters as kept
from notifiers.contract import Event, Status
from notifiers.memory import Memory
from notifiers.print_letters import PrintLetters
from tests import record
from tests.actions.posts import LEAD, NOW, Post, a_post
from tests.actions.test_checks import new_address_proved
from tests.actions.waves import email_of
from tests.builders import a_notice, an_incident

pytestmark = pytest.mark.usefixtures("app")
STRANGER = "01J8ZQ5T9XABCDEFGHJKMNPQRS"


@pytest.fixture
def post(tmp_path) -> Post:
    story = a_post(tmp_path)
    story.posted(story.made())
    story.work()
    return story


def refs(post: Post) -> list[str]:
    return [row.ref for row in post.rows()]


def scan(post: Post, text: str, why: str = "moved") -> Verdict:
    return returned.scan(post.incident.ref, text, why=why, actor=LEAD, now=post.clock()).verdict


def listed(post: Post, content: bytes, why: str = "unknown") -> list[tuple[int, Verdict]]:
    found = returned.take_list(post.incident.ref, io.BytesIO(content), why=why, actor=LEAD, now=post.clock())
    return [(row.number, row.verdict) for row in found]


def test_a_scanned_letter_came_back_and_a_second_scan_changes_nothing(post):
    ref = refs(post)[0]
    assert scan(post, ref) is Verdict.RETURNED
    assert post.counts() == {"accepted": 2, "bounced": 1}
    [row] = [row for row in post.rows() if row.ref == ref]
    assert (row.state, row.reason, row.settled_by) == ("bounced", "returned_moved", LEAD)
    lines = len(record.lines())
    assert scan(post, rules.grouped(ref).lower()) is Verdict.ALREADY
    assert (len(record.lines()), post.counts()) == (lines, {"accepted": 2, "bounced": 1})


def test_the_line_names_the_batch_and_the_reason_and_the_record_holds(post):
    scan(post, refs(post)[0], why="deceased")
    line = record.lines()[-1]
    said = record.details(line)
    assert (line.verb, line.actor, said["why"], said["count"]) == ("letters.returned", LEAD, "deceased", 1)
    assert line.subject == kept.of_incident(post.incident.id)[0].ref
    assert record.verifies()


def test_what_was_never_posted_cannot_come_back(tmp_path):
    post = a_post(tmp_path)
    [first, *_] = refs(post)
    assert scan(post, first) is Verdict.NOT_POSTED
    post.made()
    assert scan(post, first) is Verdict.NOT_POSTED
    assert post.counts() == {"accepted": 3}


def test_a_letter_of_another_incident_and_no_letter_at_all(post, tmp_path):
    other = a_post(tmp_path, 1)
    assert scan(post, refs(other)[0]) is Verdict.UNKNOWN
    assert scan(post, STRANGER) is Verdict.UNKNOWN
    assert scan(post, "Ann Person, Berlin") is Verdict.UNREADABLE
    with pytest.raises(Invalid):
        scan(post, refs(post)[0], why="lost in space")


def test_every_row_of_a_list_is_accounted_for(post):
    first, second, _ = refs(post)
    table = csv_rows(
        ("date", "reference"), [("1", first), ("2", "nonsense"), ("3", STRANGER), ("4", second), ("5", first)]
    )
    assert listed(post, "".join(table).encode()) == [
        (2, Verdict.RETURNED),
        (3, Verdict.UNREADABLE),
        (4, Verdict.UNKNOWN),
        (5, Verdict.RETURNED),
        (6, Verdict.ALREADY),
    ]
    assert post.counts() == {"accepted": 1, "bounced": 2}


def test_the_same_list_again_does_no_harm(post):
    content = "\n".join(refs(post)).encode()
    assert {verdict for _, verdict in listed(post, content)} == {Verdict.RETURNED}
    assert {verdict for _, verdict in listed(post, content)} == {Verdict.ALREADY}
    assert post.counts() == {"bounced": 3}
    assert len(kept.returns(post.incident.id)) == 3


def test_a_mistaken_return_is_taken_back_and_stands_in_the_record(post):
    ref = refs(post)[0]
    scan(post, ref)
    returned.undo(post.incident.ref, ref, actor=LEAD, now=post.clock())
    assert post.counts() == {"accepted": 3}
    assert record.verbs()[-1] == "letters.return_undone"
    [(back, _, _)] = kept.returns(post.incident.id)
    assert back.undone_by == LEAD
    with pytest.raises(Missing):
        returned.undo(post.incident.ref, ref, actor=LEAD, now=post.clock())
    assert scan(post, ref) is Verdict.RETURNED


# The ladder goes on, and a corrected address feeds it --------------------------------------------------------------------


def a_ladder(tmp_path, channels: tuple[str, ...], **more: str) -> Post:
    """One person with a postal address and whatever more is known, told by this ladder as far as the post office."""
    incident = an_incident(now=NOW)
    given = {"name": "Person 1", "address": "Example Street 1\n10117 Berlin", "place": "DE", "exposed": "email"}
    people.add(incident.ref, given | more, actor=LEAD, now=NOW)
    notice = a_notice(incident, channels=channels, stage="approved", now=NOW)
    post = Post(incident, notice, real={"letter": PrintLetters(), "email": Memory("email")}, folder=tmp_path)
    post.start()
    post.work()
    return post


def went_to(post: Post) -> list[str]:
    return [mail.to for mail in email_of(post).sent if "Code for your new address" not in mail.subject]


def test_whose_letter_came_back_is_tried_by_the_next_rung(tmp_path):
    post = a_ladder(tmp_path, ("letter", "email"), email="person1@example.org")
    post.posted(post.made())
    assert scan(post, refs(post)[0]) is Verdict.RETURNED
    post.work()
    assert (post.counts(), went_to(post)) == ({"accepted": 1}, ["person1@example.org"])


def test_who_has_no_rung_left_and_proves_a_new_address_is_told_there_once(tmp_path):
    post = a_ladder(tmp_path, ("letter", "email"))
    post.posted(post.made())
    scan(post, refs(post)[0])
    post.work()
    assert (post.counts(), went_to(post)) == ({"bounced": 1}, [])
    assert new_address_proved(post, "new@example.net")
    post.work()
    post.work()
    assert (post.counts(), went_to(post)) == ({"accepted": 1}, ["new@example.net"])
    assert {"delivery.next_channel", "enquiry.address_proved", "person.corrected"} <= set(record.verbs())
    assert record.verifies()


def test_an_address_that_failed_before_the_letter_did_is_no_hindrance_for_a_new_one(tmp_path):
    post = a_ladder(tmp_path, ("email", "letter"), email="old@example.org")
    [row] = post.rows()
    back = Event("1", Status.BOUNCED, ref=row.ref, at=NOW, reason="no_such_address")
    reported.take_in("memory", "email", [back], now=NOW)
    post.work()
    post.posted(post.made())
    letter = next(row for row in post.rows() if row.channel == "letter")
    assert scan(post, letter.ref) is Verdict.RETURNED
    post.work()
    assert new_address_proved(post, "new@example.net")
    post.work()
    assert (post.counts(), went_to(post)) == ({"accepted": 1}, ["old@example.org", "new@example.net"])
    assert [row.attempt for row in post.rows() if row.channel == "email"] == [1, 2]


@pytest.mark.parametrize(
    ("channels", "safe_ways"),
    [(("letter",), ""), (("letter", "email"), "letter")],
    ids=["no such rung", "not a safe way"],
)
def test_a_new_address_that_may_not_be_used_is_kept_and_nothing_goes_there(tmp_path, channels, safe_ways):
    post = a_ladder(tmp_path, channels, safe_ways=safe_ways)
    post.posted(post.made())
    scan(post, refs(post)[0])
    post.work()
    assert new_address_proved(post, "new@example.net")
    post.work()
    assert (post.counts(), went_to(post)) == ({"bounced": 1}, [])


# An address that the desk corrects feeds it as well -----------------------------------------------------------------------


def corrected(post: Post, *opened: str, **changes: str) -> correcting.Corrected:
    """What became of it where the desk corrected the first person, and asked for these channels to be tried."""
    version = people.one(post.incident.ref, "P-1").version
    return correcting.correct(
        post.incident.ref, "P-1", changes, reason="Rang us.", version=version, opened=opened, actor=LEAD, now=NOW
    )


def one_came_back(tmp_path, channels: tuple[str, ...] = ("letter", "email"), **more: str) -> Post:
    """A letter that came back, of somebody whom no other rung reached."""
    post = a_ladder(tmp_path, channels, **more)
    post.posted(post.made())
    assert scan(post, refs(post)[0]) is Verdict.RETURNED
    post.work()
    return post


def test_whom_the_desk_gives_a_new_address_is_told_there_once(tmp_path):
    post = one_came_back(tmp_path)
    [untold] = correcting.untold(post.incident.ref, "P-1")
    assert (untold.sending, untold.channel, untold.state) == (post.dispatch, "letter", "bounced")
    [fresh] = corrected(post, "email", "letter", email="new@example.net").sent
    post.work()
    assert (post.counts(), went_to(post)) == ({"accepted": 1}, ["new@example.net"])
    line = next(line for line in record.lines() if line.verb == "delivery.next_channel")
    assert (line.actor, record.details(line)["next"]) == (LEAD, fresh)
    assert correcting.untold(post.incident.ref, "P-1") == []
    assert corrected(post, "email", email="newer@example.net").sent == []
    post.work()
    assert went_to(post) == ["new@example.net"]
    assert record.verifies()


def test_a_new_postal_address_brings_another_letter(tmp_path):
    post = one_came_back(tmp_path)
    [fresh] = corrected(post, "email", "letter", address="New Street 9\n10119 Berlin").sent
    post.work()
    [row] = [row for row in post.rows() if row.current]
    assert (row.ref, row.channel, row.attempt, row.reason) == (fresh, "letter", 2, "to_be_printed")
    assert "delivery.sent_again" in record.verbs()
    assert "New Street 9" in " ".join(post.printed(post.made()))
    assert post.counts() == {"accepted": 1}


def test_of_two_new_addresses_the_one_of_the_first_rung_is_used(tmp_path):
    post = one_came_back(tmp_path)
    changes = {"email": "new@example.net", "address": "New Street 9\n10119 Berlin"}
    assert len(corrected(post, "email", "letter", **changes).sent) == 1
    assert [row.channel for row in post.rows() if row.current] == ["letter"]


@pytest.mark.parametrize(
    ("opened", "changes"),
    [
        ((), {"email": "new@example.net"}),
        (("letter",), {"email": "new@example.net"}),
        (("email", "letter"), {"name": "Person One"}),
        (("email", "letter"), {"address": ""}),
        (("email", "letter"), {"email": "new@example.net", "safe_ways": "none"}),
        (("email", "letter"), {"phone": "+4915112345678"}),
    ],
    ids=["not asked for", "no such channel here", "a name alone", "nothing left", "not a safe way", "no such rung"],
)
def test_a_correction_that_gives_no_way_to_go_sends_nothing(tmp_path, opened, changes):
    post = one_came_back(tmp_path)
    done = corrected(post, *opened, **changes)
    assert (sorted(done.changed), done.sent) == (sorted(changes), [])
    post.work()
    assert (post.counts(), went_to(post)) == ({"bounced": 1}, [])


def test_a_way_that_turns_out_to_be_safe_is_a_new_address_too(tmp_path):
    post = one_came_back(tmp_path, safe_ways="letter", email="hers@example.org")
    assert went_to(post) == []
    assert len(corrected(post, "email", safe_ways="email letter").sent) == 1
    post.work()
    assert went_to(post) == ["hers@example.org"]


def test_who_was_reached_gets_nothing_because_of_a_correction(tmp_path):
    post = a_ladder(tmp_path, ("email", "letter"), email="first@example.org")
    assert corrected(post, "email", "letter", email="new@example.net").sent == []
    post.work()
    assert went_to(post) == ["first@example.org"]
