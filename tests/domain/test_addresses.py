"""Postal addresses: what goes into the window, and what somebody should look at first."""

import pytest

from incident.domain.addresses import DOUBT_WORDS, Doubt, doubts, postal


@pytest.mark.parametrize(
    ("lines", "country"),
    [
        (("Ann", "Street 1", "10117 Berlin"), "DE"),
        (("Ann", "1 High Street", "London", "SW1A 1AA"), "GB"),
        (("Ann", "12 Main St", "Austin, TX 78701-1234"), "US-TX"),
        (("Ann", "12 Main St", "Ottawa ON K1A 0B1"), "CA"),
        (("王小明", "北京市东城区解放路12号", "100001"), "CN"),
        (("Ann", "Street 1", "Somewhere"), "KE"),  # a country we do not know is not judged
    ],
)
def test_a_good_address_raises_no_doubt(lines, country):
    assert doubts(lines, country) == ()


@pytest.mark.parametrize(
    ("lines", "country", "doubt"),
    [
        (("Ann", "10117 Berlin"), "DE", Doubt.LINES),
        (("Ann", "Street 1", "1011 Berlin"), "DE", Doubt.POSTCODE),
        (("Ann", "Street 101171", "Berlin"), "DE", Doubt.POSTCODE),
        (("Ann", "1 High Street", "London"), "GB", Doubt.POSTCODE),
        (("JÃ¼rgen", "StraÃŸe 1", "10117 Berlin"), "DE", Doubt.BROKEN),
        (("Ann", "STREET OF THE MANY 1", "10117 BERLIN"), "DE", Doubt.CAPITALS),
    ],
)
def test_what_may_keep_a_letter_from_arriving_is_named(lines, country, doubt):
    assert doubts(lines, country) == (doubt,)


@pytest.mark.parametrize("line", ["Postfach 1234", "PO Box 12", "P.O. Box 12", "Boîte postale 4"])
def test_a_post_box_is_a_doubt_for_registered_mail_alone(line):
    assert doubts(("Ann", line, "10117 Berlin"), "DE") == ()
    assert doubts(("Ann", line, "10117 Berlin"), "DE", registered=True) == (Doubt.BOX,)
    assert set(DOUBT_WORDS) == set(Doubt)


def test_the_country_is_named_abroad_alone_and_once():
    home = ("Ann", "Street 1", "10117 Berlin")
    assert postal(home, "DE", home="DE") == home
    assert postal((*home, "Germany"), "DE", home="DE") == home
    assert postal((*home, "Deutschland"), "DE", home="GB") == (*home, "GERMANY")
    assert postal(home, "", home="GB") == home
    assert postal(("Ann ", " Street  1", "", "10117 Berlin"), "DE", home="") == home
