"""Print files whose worker died, or that should be gone, are taken away with a line; no other file ever is."""

import pytest

from incident.actions import letter_files, letters
from incident.domain.letters import Stage
from incident.store import notices
from incident.store.db import db
from incident.store.letters import CHANNEL
from incident.store.sealed import sealer
from tests.actions.posts import LEAD, PAPER, Post, a_post

pytestmark = pytest.mark.usefixtures("app")


@pytest.fixture
def post(tmp_path) -> Post:
    return a_post(tmp_path)


def names(post):
    return {path.name for path in post.folder.iterdir()}


def killed_while_printing(post):
    """A batch whose worker dies when its file is written and nothing is settled."""
    ref = post.ask()
    batch, row = post.batch(ref), post.row()
    version = notices.version(row.notice_id, row.version_number)
    sender = version.contents["senders"].get(CHANNEL, "")
    press = letters.Press(ref, batch.wanted, PAPER, sender, post.folder, sealer(row.incident_id), post.clock)
    run = letters.Pressing(row.ref, {CHANNEL: press}, post.clock, press=press)
    held = run._claim(row, CHANNEL, batch.wanted)
    written = run._written(row, held)
    assert run._begin(written)
    press.send(written.to_send)
    db.session.rollback()
    return ref


def tidy(post):
    return [letter_files.clear(ref, post.folder, now=post.clock()) for ref in letter_files.due(post.folder)]


def test_a_file_whose_worker_died_goes_once_its_batch_was_printed_anew(post):
    before = names(post)
    ref = killed_while_printing(post)
    [orphan] = names(post) - before
    assert letter_files.due(post.folder) == []  # somebody may still be printing
    post.clock.move(seconds=61)
    post.press()
    assert post.batch(ref).stage == Stage.MADE
    assert letter_files.due(post.folder) == [ref]
    assert tidy(post) == [1]
    assert orphan not in names(post)
    assert {file["stored_as"] for file in post.batch(ref).files} <= names(post)
    assert post.verbs()[-1] == "letters.files_cleared"
    assert (tidy(post), letter_files.clear(ref, post.folder, now=post.clock())) == ([], 0)


def test_files_that_were_to_be_thrown_away_when_the_worker_died_go_too(post, monkeypatch):
    ref = post.made()
    stored = {file["stored_as"] for file in post.batch(ref).files}
    with monkeypatch.context() as dying:
        dying.setattr("pathlib.Path.unlink", lambda *_, **__: None)
        letters.throw_away(post.incident.ref, ref, typed="3", folder=post.folder, actor=LEAD, now=post.clock())
    assert stored <= names(post)
    assert tidy(post) == [len(stored)]
    assert stored.isdisjoint(names(post))


def test_no_file_of_anything_else_is_touched(post):
    ref = post.made()
    other = post.folder / "0123456789abcdefghjkmnpqrs"
    unknown = post.folder / letter_files.new_name("B-NOTHERE0")
    for path in (other, unknown):
        path.write_bytes(b"x")
    assert tidy(post) == []
    assert other.exists()
    assert unknown.exists()
    assert {file["stored_as"] for file in post.batch(ref).files} <= names(post)
