"""The page of lists says when a wave of people was found, and takes it back."""

from incident.store import obligations as rows
from incident.store import people as registry
from incident.store.db import db
from tests.actions.test_waves import TEXAS, two_waves


def test_a_wave_is_said_to_be_found_later_on_the_page_of_lists_and_shown_so(app, as_):
    incident = two_waves()
    lead = as_("lead")
    page = lead.get(f"/incidents/{incident.ref}/lists/").text
    assert "Found later?" in page
    reply = lead.post(f"/incidents/{incident.ref}/lists/waves/2", data={"discovered_at": "2026-02-01T10:00"})
    assert reply.status_code == 302
    assert "found later, " in lead.get(f"/incidents/{incident.ref}/lists/").text
    theirs = rows.current(incident.id)[f"{TEXAS}#wave-2"]
    assert "wave 2" in lead.get(f"/incidents/{incident.ref}/duties/{theirs.ref}").text


def test_a_moment_that_cannot_be_is_answered_with_its_sentence_and_changes_nothing(app, as_):
    incident = two_waves()
    reply = as_("lead").post(f"/incidents/{incident.ref}/lists/waves/2", data={"discovered_at": "2199-02-01T10:00"})
    assert (reply.status_code, "This lies in the future." in reply.text) == (422, True)
    db.session.rollback()
    assert registry.waves(incident.id)[1].discovered_at is None


def test_with_one_list_alone_nobody_is_asked(app, as_):
    incident = two_waves()
    db.session.delete(registry.waves(incident.id)[1])
    db.session.commit()
    assert "Found later?" not in as_("lead").get(f"/incidents/{incident.ref}/lists/").text
