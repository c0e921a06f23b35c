"""Letters and returned mail in the browser."""

import io

import pytest

from incident.domain import letters as rules
from incident.domain.access import Role
from incident.store import letters as rows
from notifiers.contract import Channels
from tests import record
from tests.actions.posts import Post, a_post
from tests.actions.waves import SANDBOX
from tests.builders import an_incident


@pytest.fixture
def post(app, monkeypatch) -> Post:
    story = a_post(app.extensions["settings"].instance / "files")
    monkeypatch.setitem(app.extensions, "channels", Channels(story.real, SANDBOX))
    return story


@pytest.fixture
def lead(as_):
    return as_(Role.LEAD)


def at(post: Post, rest: str = "") -> str:
    return f"/incidents/{post.incident.ref}/letters/{rest}"


def words(answer) -> str:
    return " ".join(answer.get_data(as_text=True).split())


def test_a_batch_is_asked_for_downloaded_and_posted_from_its_page(post, lead):
    assert "3 letters wait" in words(lead.get(at(post)))
    assert lead.post(at(post), data={"sending": post.dispatch, "most": "2"}).status_code == 302
    assert "being made" in words(lead.get(at(post)))
    post.press()
    page = words(lead.get(at(post)))
    assert "2 letters ·" in page
    assert "printed, not posted" in page
    [batch] = rows.of_incident(post.incident.id)
    [file] = batch.files
    copy = lead.post(at(post, f"{batch.ref}/files/{file['name']}"))
    assert (copy.mimetype, copy.headers["Content-Disposition"]) == (
        "application/pdf", f'attachment; filename="{batch.ref}-1.pdf"',
    )  # fmt: skip
    assert rules.sha256(copy.data) == file["sha256"]
    assert record.verbs()[-1] == "letters.downloaded"
    manifest = lead.get(at(post, f"{batch.ref}/manifest.csv")).get_data(as_text=True)
    assert manifest.splitlines()[0] == ",".join(rules.MANIFEST)
    assert "Person" not in manifest
    early = lead.post(at(post, f"{batch.ref}/posted"), data={"way": "post", "day": "2020-01-01"})
    assert early.status_code == 422
    assert "not before they were printed" in words(early)


def test_a_scan_field_takes_one_letter_after_the_other(post, lead):
    post.posted(post.made())
    first, second, _ = [row.ref for row in post.rows()]
    page = words(lead.get(at(post, "returned/")))
    assert 'name="reference"' in page
    assert "autofocus" in page
    after = lead.post(at(post, "returned/"), data={"reference": first, "why": "moved"}, follow_redirects=True)
    assert f"{rules.grouped(first)}: noted as come back." in words(after)
    assert '<option value="moved" selected>' in words(after)
    again = lead.post(at(post, "returned/"), data={"reference": first, "why": "moved"}, follow_redirects=True)
    assert "was noted before" in words(again)
    bad = lead.post(at(post, "returned/"), data={"reference": "hello", "why": "moved"}, follow_redirects=True)
    assert "That is no reference" in words(bad)
    assert post.counts() == {"accepted": 2, "bounced": 1}
    desk = words(lead.get(f"/incidents/{post.incident.ref}/sending/desk/bounced"))
    assert "letter came back: moved" in desk, "a reason is said in words"
    lead.post(at(post, f"returned/{first}/undo"))
    assert post.counts() == {"accepted": 3}
    assert second in [row.ref for row in post.rows() if row.state == "accepted"]


def test_a_list_is_brought_and_each_row_accounted_for(post, lead):
    post.posted(post.made())
    content = "\n".join([row.ref for row in post.rows()] + ["what is this"]).encode()
    page = words(
        lead.post(at(post, "returned/list"), data={"why": "unknown", "file": (io.BytesIO(content), "back.csv")})
    )
    assert "3 noted as come back" in page
    assert "Row 4: no reference" in page
    table = lead.get(at(post, "returned.csv")).get_data(as_text=True)
    assert table.count("unknown") == 3


def test_no_file_is_a_sentence_at_the_field(post, lead):
    answer = lead.post(at(post, "returned/list"), data={"why": "unknown"})
    assert answer.status_code == 422
    assert "Choose a file" in words(answer)


def test_an_auditor_reads_the_batches_and_prints_nothing(post, as_):
    auditor = as_(Role.AUDITOR)
    ref = post.made()
    page = words(auditor.get(at(post)))
    assert ref in page
    assert "They were posted" not in page
    assert auditor.post(at(post, f"{ref}/files/{ref}-1.pdf")).status_code == 403
    assert auditor.get(at(post, f"{ref}/manifest.csv")).status_code == 200


def test_where_no_letters_are_set_up_the_page_says_what_to_do(app, lead):
    page = words(lead.get(f"/incidents/{an_incident().ref}/letters/"))
    assert "TOCSIN_LETTERS" in page
