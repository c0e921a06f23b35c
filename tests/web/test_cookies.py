"""The cookie of a session: signed by us alone, and nothing without the session on the server."""

import base64
import json

import pytest
from itsdangerous import URLSafeTimedSerializer

from incident import clock
from incident.domain.access import Role
from tests.builders import a_session, a_user


def held_by(browser):
    return browser.get_cookie("tocsin").value


def refused(app, value) -> bool:
    """Whether a browser that brings this cookie is nobody."""
    client = app.test_client()
    client.set_cookie("tocsin", value)
    return client.get("/account/").location is not None


@pytest.fixture
def good(as_):
    return held_by(as_(Role.LEAD))


def test_the_cookie_itself_opens(app, good):
    assert not refused(app, good)


def test_a_cookie_that_was_changed_or_signed_by_another_key_opens_nothing(app, good):
    content = {"sid": a_session(a_user(Role.LEAD)), "seen": int(clock.now().timestamp())}
    plain = base64.urlsafe_b64encode(json.dumps(content).encode()).decode().rstrip("=")
    payload, stamp, signature = good.rsplit(".", 2)
    forged = {
        "last letter changed": f"{payload}.{stamp}.{signature[:-2]}{'A' if signature[-2] != 'A' else 'B'}{signature[-1]}",
        "no signature": f"{payload}.{stamp}.",
        "other content": f"{plain}.{stamp}.{signature}",
        "other key": URLSafeTimedSerializer("guessed", salt="cookie-session").dumps(content),
        "a token without algorithm": f"eyJhbGciOiJub25lIn0.{plain}.",
        "other purpose": URLSafeTimedSerializer(app.secret_key, salt="another purpose").dumps(content),
        "nothing": "",
    }
    assert [name for name, value in forged.items() if not refused(app, value)] == []


def test_a_well_signed_cookie_without_a_session_on_the_server_opens_nothing(app):
    sign = app.session_interface.get_signing_serializer(app).dumps
    seen = int(clock.now().timestamp())
    assert refused(app, sign({"sid": "a" * 43, "seen": seen}))
    assert refused(app, sign({"sid": a_session(a_user(Role.LEAD)), "seen": seen - 5 * 3600}))
    assert not refused(app, sign({"sid": a_session(a_user(Role.LEAD)), "seen": seen}))
