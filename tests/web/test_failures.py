"""What nobody foresaw: an answer that tells nothing of the inside, a line in the log with its reference, and a program that goes on."""

import json

import pytest

from incident.domain.access import Role


@pytest.fixture
def failing(app, monkeypatch):
    """An application whose desk holds a mistake, as it is in service."""
    app.config["PROPAGATE_EXCEPTIONS"] = False

    def broken():
        raise ZeroDivisionError("secret of the inside: /etc/passwd SELECT * FROM person")

    broken.permit = app.view_functions["desk.home"].permit
    monkeypatch.setitem(app.view_functions, "desk.home", broken)
    yield app
    app.config["PROPAGATE_EXCEPTIONS"] = None


def test_our_mistake_says_nothing_of_the_inside_and_keeps_its_reference(failing, as_, caplog):
    answer = as_(Role.LEAD).get("/")
    assert answer.status_code == 500
    for inside in ("secret of the inside", "Traceback", "ZeroDivisionError", "SELECT", ".py"):
        assert inside not in answer.text
    assert "Our mistake" in answer.text
    assert any(record.exc_info and record.exc_info[0] is ZeroDivisionError for record in caplog.records)


def test_a_program_gets_the_same_in_its_own_form(failing, as_):
    answer = as_(Role.LEAD).get("/", headers={"Accept": "application/json"})
    assert (answer.status_code, answer.content_type) == (500, "application/problem+json")
    assert "inside" not in json.dumps(answer.json)


def test_after_a_mistake_everybody_else_is_served(failing, as_):
    browser = as_(Role.LEAD)
    assert browser.get("/").status_code == 500
    assert browser.get("/account/").status_code == 200
