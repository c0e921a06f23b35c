"""Letters by programs: the same as on the pages."""

import pytest

from incident.domain import letters as rules
from incident.domain.access import Role
from incident.store import letters as rows
from tests.actions.posts import Post, a_post


@pytest.fixture
def post(app) -> Post:
    return a_post(app.extensions["settings"].instance / "files")


@pytest.fixture
def lead(token_for):
    return token_for(Role.LEAD)


def at(post: Post, rest: str = "") -> str:
    return f"/api/v1/incidents/{post.incident.ref}/letters{rest}"


def test_letters_are_printed_fetched_and_thrown_away(client, lead, post):
    assert client.get(at(post), headers=lead).json["waiting"] == [{"sending": post.dispatch, "letters": 3}]
    asked = client.post(at(post), json={"sending": post.dispatch, "most": 3}, headers=lead)
    assert asked.status_code == 201
    ref = asked.json["ref"]
    assert client.get(at(post, f"/{ref}"), headers=lead).json["stage"] == "asked"
    post.press()
    shown = client.get(at(post, f"/{ref}"), headers=lead).json
    assert (shown["stage"], shown["letters"]) == ("made", 3)
    [file] = shown["files"]
    copy = client.post(at(post, f"/{ref}/files/{file['name']}"), headers=lead)
    assert rules.sha256(copy.data) == file["sha256"]
    assert "stored_as" not in file
    table = client.get(at(post, f"/{ref}/manifest"), headers=lead)
    assert table.get_data(as_text=True).count(file["sha256"]) == 3
    wrong = client.post(at(post, f"/{ref}/throw-away"), json={"letters": 2}, headers=lead)
    assert (wrong.status_code, wrong.json["field"]) == (422, "typed")
    assert client.post(at(post, f"/{ref}/throw-away"), json={"letters": 3}, headers=lead).json == {"letters": 3}
    assert post.counts() == {"waiting": 3}


def test_returned_letters_are_noted_and_taken_back(client, lead, post):
    post.posted(post.made())
    [first, *_] = [row.ref for row in post.rows()]
    noted = client.post(at(post, "/returned"), json={"why": "moved", "references": [first, "x", first]}, headers=lead)
    assert [row["verdict"] for row in noted.json["rows"]] == ["returned", "unreadable", "already"]
    undone = client.post(at(post, "/returned/undo"), json={"reference": rules.grouped(first)}, headers=lead)
    assert (undone.status_code, post.counts()) == (204, {"accepted": 3})
    assert client.post(at(post, "/returned/undo"), json={"reference": first}, headers=lead).status_code == 404


def test_an_auditor_reads_and_changes_nothing(client, token_for, post):
    auditor = token_for(Role.AUDITOR)
    assert client.get(at(post), headers=auditor).status_code == 200
    assert client.post(at(post), json={"sending": post.dispatch}, headers=auditor).status_code == 403
    assert len(rows.of_incident(post.incident.id)) == 0
