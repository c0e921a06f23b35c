"""Returned mail: by scan and by list, every row accounted for, repeats and mistakes without harm."""

import io

import pytest

from incident.actions import returned
from incident.actions.returned import Verdict
from incident.domain import letters as rules
from incident.domain.errors import Invalid, Missing
from incident.exports.csv import rows as csv_rows
from incident.store import letters as kept
from tests import record
from tests.actions.posts import LEAD, Post, a_post

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
