"""The proof of notice as people read it: what each channel got, when, where it went as a digest, and what the record shows."""

from collections.abc import Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

from incident.domain.deliveries import WORDS, State
from incident.domain.facts import time_words
from incident.domain.notice_proofs import STEP_WORDS, Attempt, Proof
from incident.exports.document import Document, Item, Section, Table

HOW = """\
This file stands in a zip beside proof.json, manifest.json and an excerpt of the record. With Python 3.11 or newer and nothing \
else, incident/domain/audit.py of Tocsin checks all of it: python audit.py THE_FILE.zip --checkpoint CHECKPOINT.txt --key KEY. \
The person can have their own address compared: --address, followed by the address exactly as it was written to. \
The address itself is nowhere in this file; whoever guesses it right can find that it was this one. \
Everybody else in a batch is in it as hashes alone."""
CHANNELS = {"email": "E-mail", "sms": "Text message", "letter": "Letter", "call": "Call", "push": "Push message"}


def document(proof: Proof, author: str, zone: ZoneInfo) -> Document:
    """The proof as a document."""
    about = Section("How to check this", text=HOW)
    return Document(
        title=f"Proof of notice: {proof.person}",
        subtitle=f"{proof.incident} – as of {time_words(proof.made_at, zone)}",
        language="en",
        author=author or "Tocsin",
        at=proof.made_at,
        was_word="Before",
        particulars=tuple(_particulars(proof)),
        sections=(*(_section(one, zone) for one in proof.attempts), about),
        closing="Times are in the zone that stands beside them, those of lines in UTC.",
    )


def _particulars(proof: Proof) -> Iterator[tuple[str, str]]:
    yield "Incident", proof.incident + (" (a drill: nothing in it happened)" if proof.kind == "drill" else "")
    yield "Person", f"{proof.person}, known by this number alone"
    yield "Record", proof.log
    yield "Attempts", str(len(proof.attempts))


def _section(one: Attempt, zone: ZoneInfo) -> Section:
    heading = f"{CHANNELS.get(one.channel, one.channel)}, attempt {one.attempt}: {WORDS[State(one.state)]}"
    return Section(
        heading,
        text="A rehearsal: nobody was told by this." if one.simulated else "",
        items=tuple(_items(one, zone)),
        tables=tuple(table for table in (_steps(one), _reports(one, zone)) if table.rows),
    )


def _items(one: Attempt, zone: ZoneInfo) -> Iterator[Item]:
    yield Item("Reference of the attempt", f"{one.ref}, sending {one.sending}")
    yield Item("Notice", f"{one.notice}, version {one.version}", notes=(f"approved as {one.approved_digest}",))
    yield Item("Put on the list", time_words(one.listed_at, zone))
    yield Item("Handed over", _when(one.handed_over_at, zone), notes=_provider(one))
    yield Item("Answered", _when(one.answered_at, zone), notes=_why(one))
    if one.sent:
        address = one.sent.address()
        yield Item("Address, as a digest", address["sha256"], notes=(f"SHA-256 behind the salt {address['salt']}",))
        yield Item("Subject", one.sent.subject or "none")
        yield Item("Text", one.sent.text or "none")
    for sentence in one.not_shown:
        yield Item("Not shown by the record", sentence)


def _when(moment: datetime | None, zone: ZoneInfo) -> str:
    return time_words(moment, zone) if moment else "not"


def _provider(one: Attempt) -> tuple[str, ...]:
    known = [f"through {one.provider}"] if one.provider else []
    return tuple(known + ([f"its own number: {one.provider_id}"] if one.provider_id else []))


def _why(one: Attempt) -> tuple[str, ...]:
    said = " ".join(part for part in (one.reason.replace("_", " "), one.code) if part)
    return (said,) if said else ()


def _steps(one: Attempt) -> Table:
    rows = tuple(
        (STEP_WORDS[step.what], str(step.line), step.at, f"{step.index + 1:,} of {step.size:,}") for step in one.steps
    )
    return Table(("What the record shows", "Line", "Written at (UTC)", "Place in the batch"), rows, (5, 2, 5, 3))


def _reports(one: Attempt, zone: ZoneInfo) -> Table:
    rows = tuple(
        (
            report.status + (f" ({report.code})" if report.code else ""),
            time_words(report.happened_at, zone) if report.happened_at else "not said",
            time_words(report.received_at, zone),
            report.id,
        )
        for report in one.heard
    )
    return Table(("Reported by the provider", "Happened", "Received", "Its number"), rows, (3, 4, 4, 5))
