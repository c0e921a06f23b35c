"""What is kept for a day or two goes once its time is over, and at once where somebody is erased whom it may speak of."""

import json
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from incident import clock, work
from incident.actions import erasing, leftovers
from incident.store import repeats, unsent
from incident.store.db import db, new_ref
from incident.store.repeats import Repeat
from incident.store.unsent import Kept, UnsentForm
from tests.actions.test_erasing import incident as incident  # a list with two people
from tests.builders import a_user
from tests.record import details, lines, verbs

WORDS = "Jo Example called and was afraid."


def a_form(path, *, now):
    unsent.keep(new_ref("UF"), a_user("lead").id, path, Kept([("text", WORDS)], "/", False), now)


def an_answer(key, *, now):
    repeats.begin(key, f"asked {key}", now)
    repeats.keep(key, 201, {"Content-Type": "application/json"}, b'{"email": "jo@example.org"}')


def left(table):
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(table))


def test_what_nobody_asked_for_again_goes_with_one_line_and_the_rest_stays(app):
    now = clock.now()
    a_form("/incidents/INC-2026-0001/notes", now=now - timedelta(days=2))
    an_answer("old", now=now - timedelta(days=1))
    later = now + timedelta(hours=7)
    an_answer("new", now=now)
    assert leftovers.due(now) == []
    assert leftovers.due(later) == ["leftovers"]
    assert work.BY_NAME["data.leftovers"].do("leftovers", later) is None
    assert (left(UnsentForm), left(Repeat)) == (0, 1)
    assert (verbs()[-1], details(lines()[-1])) == ("leftovers.removed", {"forms": 1, "answers": 1})
    assert leftovers.due(later) == []
    leftovers.do("leftovers", later)
    assert verbs().count("leftovers.removed") == 1


@pytest.mark.parametrize("who", ["P-1", ""])
def test_erasing_takes_out_what_the_house_still_keeps_of_it(incident, tmp_path, who):
    now = clock.now()
    for path in ("", "/notes", "?view=all"):
        a_form(f"/incidents/{incident.ref}{path}", now=now)
    a_form(f"/incidents/{incident.ref}0/notes", now=now)
    an_answer("k1", now=now)
    repeats.begin("form", "form", now)
    repeats.keep("form", 302, {"Location": "/"}, b"")
    answer = erasing.ask(
        incident.ref,
        who,
        confirm=who or incident.ref,
        why="request",
        by_two=False,
        folder=tmp_path,
        actor="U-1",
        now=now,
    )
    kept = db.session.scalars(select(UnsentForm.path)).all()
    assert kept == [f"/incidents/{incident.ref}0/notes"], "that of another incident"
    told = repeats.begin("k1", "asked k1", now)
    assert (told.status, told.headers, told.body) == (None, {}, b""), "the key stays taken, and nothing is said"
    assert repeats.begin("form", "form", now).headers == {"Location": "/"}
    gone = json.loads(erasing.certificate(incident.ref, answer.ref).certificate)["body"]["gone"]
    assert {one["table"]: one["count"] for one in gone if one["table"] in {"unsent_form", "repeat"}} == {
        "unsent_form": 3,
        "repeat": 1,
    }


def test_a_look_at_somebody_who_was_erased_is_not_answered_from_memory(app, incident, token_for, tmp_path):
    headers = token_for("lead", "privacy") | {"Idempotency-Key": "look-1"}
    address = f"/api/v1/incidents/{incident.ref}/people/P-1/look"
    first = app.test_client().post(address, headers=headers, json={"why": "request"})
    assert first.status_code == 200, first.text
    assert "@" in first.text
    erasing.ask(
        incident.ref, "P-1", confirm="P-1", why="request", by_two=False, folder=tmp_path, actor="U-1", now=clock.now()
    )
    again = app.test_client().post(address, headers=headers, json={"why": "request"})
    assert (again.status_code, "@" in again.text) == (409, False)
