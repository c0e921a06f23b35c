"""A line of the record as a reader is told of it: names for what files and tables call otherwise."""

from incident.web import linewords


def test_what_a_system_was_asked_to_do_is_said_in_words(app):
    details = {"endpoint": "W-1", "kind": "end_sessions", "accounts": 1}
    with app.test_request_context():
        told = linewords.sentence("ask.asked", "AK-1", details)
    assert told == "asked the system W-1 to end sessions, accounts: 1 (AK-1)"


def test_a_duty_stands_by_its_title_and_one_that_no_law_knows_any_more_by_its_name(app):
    with app.test_request_context():
        known, gone = (
            linewords.sentence("duty.acknowledged", "D-1", {"duty": duty})
            for duty in ("EU-GDPR/tell-authority", "XX-NONE/tell-authority")
        )
    assert known == "said that they have the duty “Report to the supervisory authority” (D-1)"
    assert gone == "said that they have the duty XX-NONE/tell-authority (D-1)"
