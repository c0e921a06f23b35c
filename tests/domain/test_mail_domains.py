"""SPF, DKIM and DMARC from the records that the DNS gave, and what is said where it gave none."""

import pytest

from incident.domain.mail_domains import (
    Records,
    Standing,
    as_json,
    domain_of,
    from_json,
    judged,
    parents,
    selectors,
)

SPF, DMARC, KEY = "v=spf1 include:sendgrid.net ~all", "v=DMARC1; p=reject", "k=rsa; t=s; p=MIGfMA0"


def standings(**found):
    given = {"spf": [SPF], "dmarc": [DMARC], "keys": {"s1": [KEY]}} | found
    return [one.standing.value for one in judged(Records("example.org", **given))]


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ({}, ["there", "there", "there"]),
        ({"spf": ["google-site-verification=1", SPF]}, ["there", "there", "there"]),
        ({"spf": []}, ["lacking", "there", "there"]),
        ({"spf": ["v=spf10 -all"]}, ["lacking", "there", "there"]),
        ({"spf": [SPF, "v=spf1 -all"]}, ["wrong", "there", "there"]),
        ({"spf": ["v=spf1 +all"]}, ["wrong", "there", "there"]),
        ({"spf": None}, ["not_looked_up", "there", "there"]),
        ({"keys": {}}, ["there", "not_looked_up", "there"]),
        ({"keys": {"s1": [], "s2": [KEY]}}, ["there", "there", "there"]),
        ({"keys": {"s1": [], "s2": []}}, ["there", "lacking", "there"]),
        ({"keys": {"s1": ["v=DKIM1; p="]}}, ["there", "lacking", "there"]),
        ({"keys": {"s1": ["v=DKIM9; p=abc"]}}, ["there", "lacking", "there"]),
        ({"keys": {"s1": None, "s2": []}}, ["there", "not_looked_up", "there"]),
        ({"dmarc": []}, ["there", "there", "lacking"]),
        ({"dmarc": ["v=DMARC1; p=none; rua=mailto:a@example.org"]}, ["there", "there", "there"]),
        ({"dmarc": ["v=DMARC1"]}, ["there", "there", "wrong"]),
        ({"dmarc": [DMARC, DMARC]}, ["there", "there", "wrong"]),
        ({"dmarc": None}, ["there", "there", "not_looked_up"]),
    ],
)
def test_each_of_the_three_stands_as_its_records_say(found, expected):
    assert standings(**found) == expected


@pytest.mark.parametrize(
    ("sender", "domain"),
    [
        ("privacy@example.org", "example.org"),
        ("Example <privacy@Mail.Example.org>", "mail.example.org"),
        ("sandbox", ""),
        ("@example.org", ""),
        ("a@localhost", ""),
        ("", ""),
    ],
)
def test_the_domain_of_a_sender(sender, domain):
    assert domain_of(sender) == domain


def test_dmarc_may_stand_with_the_domain_above():
    assert parents("mail.news.example.org") == ("mail.news.example.org", "news.example.org", "example.org")
    assert parents("example.org") == ("example.org",)


def test_selectors_that_somebody_named_stand_above_the_usual_ones():
    assert selectors("sendgrid", ()) == ("s1", "s2")
    assert selectors("sendgrid", ("own",)) == ("own",)
    assert selectors("smtp", ()) == ()


def test_what_was_found_is_kept_as_it_was():
    found = judged(Records("example.org"))
    assert from_json(as_json(found)) == found
    assert all(one.standing is Standing.NOT_LOOKED_UP and one.sentence for one in found)
