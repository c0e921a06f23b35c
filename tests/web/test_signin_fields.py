"""What the pages of signing in look like to a browser: fields that hide, fields that a manager fills, and the way out."""

import base64
import re

import pytest

from incident.actions import users
from incident.clock import now
from incident.domain.access import Role
from incident.store import passkeys
from incident.store.passkeys import Place


@pytest.fixture
def pages(as_, client):
    """Every page on which a password is typed."""
    link = f"/welcome/{users.offer_setup(now=now())}"
    browser = as_(Role.LEAD)
    welcome = client.get(link, follow_redirects=True).text
    return {
        "sign in": client.get("/sign-in").text,
        "again": browser.get("/sign-in/again").text,
        "account": browser.get("/account/").text,
        "welcome": welcome,
    }


def test_a_field_for_a_password_hides_it_and_lets_it_be_pasted(pages):
    for name, page in pages.items():
        fields = [tag for tag in re.findall(r"<input[^>]*>", page) if re.search(r"name=\"[a-z_]*password\"", tag)]
        assert fields, name
        for tag in fields:
            assert 'type="password"' in tag, name
            assert re.search(r'autocomplete="(current|new)-password"', tag), name
            assert "maxlength" not in tag or int(re.search(r'maxlength="(\d+)"', tag)[1]) >= 128
            assert "onpaste" not in tag


@pytest.mark.parametrize(
    "address", ["/", "/account/", "/incidents/", "/incidents/new", "/team/", "/laws/", "/nothing-here"]
)
def test_every_page_of_a_signed_in_person_has_the_way_out(as_, address):
    page = as_(Role.LEAD).get(address, follow_redirects=True).text
    assert re.search(r'<form[^>]*action="/sign-out"', page)


def test_a_challenge_for_a_key_has_64_random_bits_and_is_new_each_time():
    place = Place("localhost", "http://localhost")
    asked = [passkeys.challenge_of(passkeys.to_prove(place, None)) for _ in range(100)]
    assert len(set(asked)) == 100
    assert min(len(base64.urlsafe_b64decode(one + "==")) for one in asked) >= 8
