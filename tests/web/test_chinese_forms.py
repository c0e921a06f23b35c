"""What a Chinese reader is answered when a form is sent: refusals beside their fields, thanks, and pages that a press opens."""

import ast
import re
from pathlib import Path

from incident import clock
from incident.actions import members
from incident.domain import reasons
from incident.domain.access import CASE_TEAM, Role
from incident.store import users
from incident.store.db import db
from tests import crawler
from tests.full_house import a_full_house
from tests.web.test_chinese_pages import left_in_english

ENDS_THE_VISIT = re.compile(r"/account/|/sign|sessions|language|/laws/")
"""Addresses whose forms end the visit or change the language; and those of the library, which quote laws."""
NOTIFIERS = Path(__file__).parents[2] / "notifiers"
WORD = re.compile("[a-z]+(_[a-z0-9]+)+")


def forms_of(reader, app, house):
    """One form of each kind that stands on any page: what names single things left out of the comparison."""
    found = {}
    for page, _answer in crawler.pages(reader, sorted({address for _, address in crawler.addresses(app, house)})):
        for form in page.forms:
            if not ENDS_THE_VISIT.search(form.action):
                found.setdefault(re.sub(r"[A-Z]+-[A-Z0-9]+(-\d+)?|\d+", "x", form.action), form)
    return found


def emptied(form):
    """What is sent by somebody who fills nothing in."""
    texts = {one.name for one in form.texts if one.kind != "hidden"}
    return {name: "" if name in texts else value for name, value in form.filled().items()}


def test_every_answer_to_a_form_is_whole_in_chinese(app, as_):
    reader = as_(*CASE_TEAM, Role.ADMINISTRATOR)
    house = a_full_house(app.extensions["settings"].instance / "files")
    members.add(house.incident.ref, reader.ref, actor=house.actor, now=clock.now())
    users.by_ref(reader.ref).language = "zh-Hans"
    db.session.commit()
    english, answered, refused = [], 0, 0
    for kind, form in forms_of(reader, app, house).items():
        for sent in (emptied(form), form.filled()):
            answer = reader.post(form.action, data=sent, follow_redirects=True, content_type="multipart/form-data")
            page = answer.get_data(as_text=True) if answer.mimetype == "text/html" else ""
            answer.close()  # a file that is streamed holds its request open
            if '<html lang="zh-Hans"' in page:
                answered += 1
                refused += answer.status_code == 422
                view = (
                    app.url_map.bind("localhost").match(answer.request.path, method="GET")[0] if answer.history else ""
                )
                english += [f"{kind}: {text}" for text in left_in_english(view or "a.form", page)]
    assert (answered > 200, refused > 60) == (True, True)
    assert sorted(set(english)) == []


def reasons_in(path):
    """Words in snake case that a channel gives as the reason of an answer or of a report."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        given = [one.value for one in node.keywords if one.arg == "reason"] if isinstance(node, ast.Call) else []
        if isinstance(node, ast.Tuple) and re.match(
            r"(Outcome|Status)\.", ast.unparse(node.elts[0]) if node.elts else ""
        ):
            given += node.elts[1:]
        for value in given:
            yield from (
                one.value
                for one in ast.walk(value)
                if isinstance(one, ast.Constant) and isinstance(one.value, str) and WORD.fullmatch(one.value)
            )


def test_every_reason_that_a_channel_gives_is_a_word_we_know():
    found = {word for path in NOTIFIERS.glob("*.py") for word in reasons_in(path)}
    assert len(found) > 40
    assert found - set(reasons.KNOWN) == set()
