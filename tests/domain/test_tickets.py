"""Tickets: good once, for one thing, after work or after time; everything else hands the form out anew."""

from datetime import UTC, datetime, timedelta

import pytest

from incident.domain import tickets
from incident.domain.tickets import LASTS, WAIT, Spoilt, TooSoon

KEY, NOW = b"k" * 32, datetime(2026, 3, 6, 16, tzinfo=UTC)
NONCE = "0123456789ABCDEFGHJKMNPQRS"
FEW_BITS = 8


def a_ticket(purpose="report", key=KEY, at=NOW):
    return tickets.issued(key, purpose, nonce=NONCE, now=at)


def a_proof(ticket, bits=FEW_BITS):
    return next(str(number) for number in range(100_000) if tickets.is_proof(ticket, str(number), bits))


def test_a_ticket_of_ours_says_when_it_was_handed_out():
    found = tickets.opened(KEY, "report", a_ticket(), now=NOW + timedelta(hours=1))
    assert (found.nonce, found.issued_at) == (NONCE, NOW)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "..",
        "x",
        a_ticket("follow"),
        a_ticket(key=b"another"),
        a_ticket()[:-1],
        a_ticket().replace("0123", "1123"),
        a_ticket().lower(),
        "f" + a_ticket(),
        a_ticket() + "0",
        "é.ü.ö",
        "\ud800",
    ],
)
def test_what_is_not_a_ticket_for_this_is_refused(text):
    with pytest.raises(Spoilt):
        tickets.opened(KEY, "report", text, now=NOW)


@pytest.mark.parametrize("after", [-timedelta(hours=1), LASTS + timedelta(seconds=1)])
def test_a_ticket_ends(after):
    with pytest.raises(Spoilt):
        tickets.opened(KEY, "report", a_ticket(), now=NOW + after)


def test_work_opens_at_once():
    ticket = tickets.opened(KEY, "report", a_ticket(), now=NOW)
    tickets.demand_paid(ticket, a_proof(ticket.text), now=NOW, bits=FEW_BITS)


@pytest.mark.parametrize("proof", ["", "-1", "1e3", "１２", "9" * 13, "0x10"])
def test_what_is_no_number_is_no_proof_and_waiting_helps(proof):
    ticket = tickets.opened(KEY, "report", a_ticket(), now=NOW)
    with pytest.raises(TooSoon) as soon:
        tickets.demand_paid(ticket, proof, now=NOW + timedelta(seconds=3, milliseconds=500))
    assert soon.value.seconds == WAIT.total_seconds() - 3
    tickets.demand_paid(ticket, proof, now=NOW + WAIT)


def test_a_proof_of_one_ticket_opens_no_other():
    one, other = a_ticket(), a_ticket(at=NOW + timedelta(seconds=1))
    assert not all(tickets.is_proof(other, a_proof(one) if n == 0 else str(n), 16) for n in range(2))
    assert tickets.is_proof(one, a_proof(one, 12), 12)
    assert not tickets.is_proof(other, a_proof(one, 12), 12)
