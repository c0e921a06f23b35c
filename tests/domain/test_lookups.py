import pytest

from incident.domain.deliveries import State
from incident.domain.lookups import Judged, Verdict, judged, settled
from notifiers.contract import Finding, Match, Status

SM1, SM2 = Match("SM1", Status.DELIVERED), Match("SM2", Status.DELIVERED)


def verdicts(findings, taken=(), rivals=()):
    return {ref: one.verdict for ref, one in judged(findings, taken, rivals).items()}


def test_one_message_that_fits_one_person_is_theirs():
    assert judged([Finding("R1", (SM1,))], ()) == {"R1": Judged(Verdict.FOUND, 1, SM1)}


def test_nothing_that_fits_is_said_and_is_no_proof():
    assert judged([Finding("R1")], ()) == {"R1": Judged(Verdict.NONE, 0)}


def test_a_provider_that_could_not_say_has_not_nothing():
    assert verdicts([Finding("R1", trouble="not_reached"), Finding("R2", (SM1,))]) == {
        "R1": Verdict.UNANSWERED,
        "R2": Verdict.FOUND,
    }


def test_a_message_that_another_delivery_already_owns_is_not_counted_for_this_one():
    assert verdicts([Finding("R1", (SM1,))], taken={"SM1"}) == {"R1": Verdict.NONE}
    assert judged([Finding("R1", (SM1, SM2))], {"SM1"})["R1"].match == SM2


def test_two_of_one_household_are_found_where_two_messages_fit_both():
    found = judged([Finding("R1", (SM1, SM2)), Finding("R2", (SM1, SM2))], ())
    assert {one.verdict for one in found.values()} == {Verdict.FOUND}
    assert {one.match.provider_id for one in found.values()} == {"SM1", "SM2"}


def test_two_of_one_household_and_one_message_is_nobodys():
    assert verdicts([Finding("R1", (SM1,)), Finding("R2", (SM1,))]) == {"R1": Verdict.UNCLEAR, "R2": Verdict.UNCLEAR}


def test_more_messages_than_people_is_unclear():
    assert verdicts([Finding("R1", (SM1, SM2))]) == {"R1": Verdict.UNCLEAR}


def test_where_a_household_was_told_differently_each_counts_as_taken_only():
    bounced = Match("SM2", Status.BOUNCED, reason="handset_unknown", code="30005")
    found = judged([Finding("R1", (SM1, bounced)), Finding("R2", (SM1, bounced))], ())
    assert {(one.match.status, one.match.code) for one in found.values()} == {(Status.ACCEPTED, "")}


def test_somebody_else_at_the_address_whose_message_is_under_way_makes_it_unclear():
    assert verdicts([Finding("R1", (SM1,))], rivals={"R1"}) == {"R1": Verdict.UNCLEAR}


def test_a_message_without_its_text_is_evidence_and_settles_nothing():
    assert verdicts([Finding("R1", (SM1._replace(certain=False),))]) == {"R1": Verdict.UNCLEAR}


def test_a_message_under_our_own_reference_is_ours_whoever_shares_number_or_request():
    mine = Match("request", Status.DELIVERED, ours=True)
    findings = [Finding("R1", (mine,)), Finding("R2", (mine,)), Finding("R3")]
    assert verdicts(findings, taken={"request"}, rivals={"R1"}) == {
        "R1": Verdict.FOUND,
        "R2": Verdict.FOUND,
        "R3": Verdict.NONE,
    }


@pytest.mark.parametrize(
    ("status", "state"),
    [
        (Status.ACCEPTED, State.ACCEPTED),
        (Status.DELIVERED, State.DELIVERED),
        (Status.BOUNCED, State.BOUNCED),
        (Status.BLOCKED, State.BOUNCED),
        (Status.FAILED, State.BOUNCED),
        (Status.UNKNOWN, State.ACCEPTED),
    ],
)
def test_what_the_provider_has_is_at_least_accepted(status: Status, state: State):
    assert settled(State.IN_DOUBT, Match("SM1", status)) is state


def test_what_a_report_settled_meanwhile_stands():
    assert settled(State.CONFIRMED, SM1) is State.CONFIRMED
    assert settled(State.BOUNCED, SM1) is State.BOUNCED
