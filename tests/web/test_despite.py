"""Whom e-mail reaches despite a list, on the pages of a notice: chosen by its author, seen by its approver."""

import re

from incident.actions import notices
from incident.domain.access import Role
from tests.builders import a_notice, notice_row
from tests.web.test_notices import NOW, address, digest, form, house, plain
from tests.web.test_notices import incident as incident  # the fixture

ALL = "also to those who unsubscribed from your e-mail or marked an e-mail of yours as spam"


def test_both_are_ticked_until_the_author_says_otherwise(incident, as_):
    ref = a_notice(incident, author="U-0AUTHOR0", house=house(), now=NOW)
    page = plain(as_(Role.COMMUNICATIONS).get(address(incident, ref)))
    assert 'name="despite" value="unsubscribed" checked' in page
    assert 'name="despite" value="complained" checked' in page


def test_unticking_both_is_kept_and_the_approver_reads_it(incident, as_):
    ref = a_notice(incident, author="U-0AUTHOR0", house=house(), now=NOW)
    as_(Role.COMMUNICATIONS).post(address(incident, ref), data=form(incident, ref, despite_shown="1"))
    assert notice_row(incident, ref).despite == []
    notices.submit(
        incident.ref, ref, revision=notice_row(incident, ref).revision, house=house(), actor="U-0AUTHOR0", now=NOW
    )
    page = plain(as_(Role.APPROVER).get(address(incident, ref)))
    assert "E-mail goes not to those who unsubscribed or complained." in page


def test_the_approver_reads_that_everybody_is_reached(incident, as_):
    ref = a_notice(incident, author="U-0AUTHOR0", house=house(), stage="submitted", now=NOW)
    page = plain(as_(Role.APPROVER).get(address(incident, ref)))
    assert f"E-mail goes {ALL}." in page
    assert digest(incident, ref) in page


def test_a_form_from_before_the_choice_leaves_it_as_it_is(incident, as_):
    ref = a_notice(incident, author="U-0AUTHOR0", house=house(), now=NOW)
    as_(Role.COMMUNICATIONS).post(address(incident, ref), data=form(incident, ref, title="Another"))
    assert notice_row(incident, ref).despite == ["unsubscribed", "complained"]


def test_a_list_that_there_is_not_is_refused_by_name(incident, as_):
    ref = a_notice(incident, author="U-0AUTHOR0", house=house(), now=NOW)
    reply = as_(Role.COMMUNICATIONS).post(
        address(incident, ref), data=form(incident, ref, despite_shown="1", despite="bounced")
    )
    assert "Choose the lists from the page" in plain(reply)
    assert notice_row(incident, ref).despite == ["unsubscribed", "complained"]


def test_the_versions_page_shows_what_changed(incident, as_):
    ref = a_notice(incident, author="U-0AUTHOR0", house=house(), stage="submitted", now=NOW)
    as_(Role.COMMUNICATIONS).post(address(incident, ref), data=form(incident, ref, despite_shown="1", edit="1"))
    notices.submit(
        incident.ref, ref, revision=notice_row(incident, ref).revision, house=house(), actor="U-0AUTHOR0", now=NOW
    )
    page = re.sub(
        r'<span class="visually-hidden">.*?</span>',
        "",
        plain(as_(Role.APPROVER).get(address(incident, ref, "/versions"))),
    )
    before, after = (
        " ".join(re.sub(rf"<{out}>.*?</{out}>|</?{kept}>", "", page).split())
        for out, kept in (("ins", "del"), ("del", "ins"))
    )
    assert ALL in before
    assert "not to those who unsubscribed or complained" in after
