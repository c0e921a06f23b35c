"""Every route, from the table of routes: what it changes leaves a line, and where no line can be written nothing changes."""

import shutil
from typing import Any, NamedTuple

import pytest
from sqlalchemy import text

from incident import clock
from incident.actions import members
from incident.domain.access import Role
from incident.store.db import db
from tests.builders import a_session, a_user
from tests.committed import LINE, OWN_BOOKS, watched, without_a_line
from tests.full_house import a_full_house
from tests.test_lines_by_source import gets_there, name_of
from tests.web.test_rights_of_things import NAMES_NO_THING, Call, asked

ME = [role for role in Role if role is not Role.AUDITOR]
FEWEST = 70
"""So many routes at least must get so far, with the plainest body, that they leave a line; the others refuse it, each for its
reason. That all of them owe one is shown by the source (tests/test_lines_by_source.py)."""
REFUSE = "CREATE TRIGGER no_line BEFORE INSERT ON audit_line BEGIN SELECT RAISE(ABORT, 'the record is full'); END"


class Done(NamedTuple):
    """What a request came to: its status, what it committed, and whether a file came back."""

    status: int
    committed: list[frozenset[str]]
    file: bool


def calls(app, house):
    """Every route that may change something, the house's own things in its address."""
    adapter = app.url_map.bind("localhost")
    for rule in sorted(app.url_map.iter_rules(), key=lambda rule: rule.rule):
        blueprint = rule.endpoint.split(".")[0]
        values: dict[str, Any] = {}
        for name in rule.arguments:
            thing = house.thing(blueprint, name)
            whole = "Integer" in type(rule._converters[name]).__name__
            made_up = 1 if whole else "pdf" if name in NAMES_NO_THING else "X-00000000"
            values[name] = house.incident.ref if name == "incident" else made_up if thing is None else thing
        for method in sorted((rule.methods or set()) - {"OPTIONS", "HEAD"}):
            if method != "GET" or gets_there(name_of(app.view_functions[rule.endpoint])):
                path = adapter.build(rule.endpoint, values, method)
                yield Call(rule, method, path, path)


def outcome(app, secret, header, spec, call):
    """Send the request from a browser of its own; an exception counts as a failure of the server."""
    browser = app.test_client()
    with browser.session_transaction() as kept_there:
        kept_there |= {"sid": secret, "seen": int(clock.now().timestamp())}
    with watched() as committed:
        try:
            answer = asked(app, browser, header, spec, call, call.path)
            status = answer.status_code
            file = "attachment" in answer.headers.get("Content-Disposition", "") and bool(answer.data)
        except Exception:
            db.session.rollback()
            status, file = 500, False
    return Done(status, list(committed), file)


@pytest.fixture
def kept(app, built, token_for):
    """The house, somebody who may do everything in it, and a copy of the database to come back to."""
    if db.engine.dialect.name != "sqlite":
        pytest.skip("The copy to come back to is a file.")
    house = a_full_house(app.extensions["settings"].instance / "files")
    user = a_user(*ME)
    members.add(house.incident.ref, user.ref, actor=house.actor, now=clock.now())
    secret, header = a_session(user), token_for(user=user)
    every = list(calls(app, house))
    db.session.rollback()
    db.session.remove()
    db.engine.dispose()
    copy = built.folder / "house.db"
    shutil.copyfile(built.live, copy)
    yield every, secret, header, copy
    copy.unlink()


def back(built, copy):
    db.session.remove()
    db.engine.dispose()
    for left_over in built.folder.glob("tocsin.db-*"):
        left_over.unlink()
    shutil.copyfile(copy, built.live)


def test_what_a_route_changes_leaves_a_line_and_without_one_nothing_changes(app, built, kept):
    every, secret, header, copy = kept
    spec = app.spec
    done: dict[tuple[str, str], Done] = {}
    for call in every:
        done[call.rule.endpoint, call.method] = found = outcome(app, secret, header, spec, call)
        if any(tables - set(OWN_BOOKS) for tables in found.committed):
            back(built, copy)
    silent = {call: missing for call, found in done.items() if (missing := without_a_line(found.committed))}
    assert silent == {}
    spoken = {call for call, found in done.items() if any(LINE in tables for tables in found.committed)}
    assert len(spoken) > FEWEST
    db.session.execute(text(REFUSE))
    db.session.commit()
    trouble = []
    for call in (one for one in every if (one.rule.endpoint, one.method) in spoken):
        found = outcome(app, secret, header, spec, call)
        changed = [sorted(tables - set(OWN_BOOKS)) for tables in found.committed if tables - set(OWN_BOOKS)]
        if changed or found.status < 400 or found.file:
            trouble.append((call.rule.endpoint, call.method, found.status, found.file, changed))
    assert trouble == []
