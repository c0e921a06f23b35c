"""Have the newest checkpoint stamped with the time by an authority outside (RFC 3161). Nothing waits for it, and nothing fails by it."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from cryptography.x509 import Certificate

from incident import parts
from incident.actions.ledger import instant, transaction
from incident.store import checkpoints
from incident.store import time_stamps as rows
from incident.store.db import db
from incident.store.time_stamps import TimeStamp

if TYPE_CHECKING:
    import rfc3161_client as protocol
    from rfc3161_client import tsp
else:
    protocol, tsp = parts.later("rfc3161_client"), parts.later("rfc3161_client.tsp")

FIRST_WAIT: Final = timedelta(minutes=5)
LONGEST_WAIT: Final = timedelta(hours=6)
LARGEST_ANSWER: Final = 64 * 1024  # bytes


class State(StrEnum):
    """What became of a request."""

    VERIFIED = "verified"
    STORED = "stored"  # kept as it came: there are no certificates to verify it by, or it cannot be read here
    FAILED = "failed"


GOOD: Final = frozenset({State.VERIFIED, State.STORED})


def due(now: datetime) -> list[str]:
    """The newest checkpoint, where it has no stamp and the last try was long enough ago."""
    newest = checkpoints.latest()
    if newest is None:
        return []
    last = rows.of(newest.size)
    if last is None:
        return [str(newest.size)]
    if last.state in GOOD:
        return []
    waited = now - datetime.fromisoformat(last.at)
    return [str(newest.size)] if waited >= _wait(rows.tries(newest.size)) else []


def stamp(
    reference: str,
    ask: Callable[[bytes], tuple[bytes, str]],
    *,
    authority: str,
    roots: Sequence[Certificate],
    clock: Callable[[], datetime],
) -> str:
    """Ask for a stamp on this checkpoint, and keep what came of it; the state. No transaction is open during the call."""
    size = int(reference)
    made = checkpoints.of(size)
    if made is None:
        return State.FAILED
    note = made.note.encode()
    request = (
        protocol.TimestampRequestBuilder()
        .data(note)
        .hash_algorithm(protocol.HashAlgorithm.SHA256)
        .nonce(nonce=True)
        .build()
    )
    db.session.rollback()
    answer, reason = ask(request.as_bytes())
    row = TimeStamp(size=size, authority=authority[:200], state=State.FAILED, reason=reason[:40])
    if not reason:
        _judge(row, answer, request, note, roots)
    now = clock()
    row.at = instant(now)
    with transaction("system", now) as ledger:
        known = rows.of(size)
        if known is not None and known.state in GOOD:
            ledger.unchanged()
            return known.state
        rows.add(row)
        if row.state == State.FAILED:
            ledger.write("checkpoint.stamp_failed", f"C-{size}", reason=row.reason)
        else:
            ledger.write("checkpoint.stamped", f"C-{size}", state=row.state, at=row.stamped_at or None)
    checkpoints.publish_stamp(size)
    return row.state


def _judge(
    row: TimeStamp, answer: bytes, request: "tsp.TimeStampRequest", note: bytes, roots: Sequence[Certificate]
) -> None:
    """Say in the row what this answer is worth, and keep it where it is worth something."""
    if len(answer) > LARGEST_ANSWER:
        row.reason = "too large"
        return
    try:
        read = protocol.decode_timestamp_response(answer)
    except ValueError:  # some authorities order their certificates as DER forbids; others than us may read it
        row.state, row.reason, row.answer = State.STORED, "not readable here", answer
        return
    if tsp.PKIStatus(read.status) not in (tsp.PKIStatus.GRANTED, tsp.PKIStatus.GRANTED_WITH_MODS):
        row.reason = "refused"
        return
    said = read.tst_info
    asked = request.message_imprint.message
    if said.message_imprint.message != asked or said.nonce != request.nonce:
        row.reason = "about something else"
        return
    row.stamped_at = instant(said.gen_time)
    if roots and not _is_verified(read, request, note, roots):
        row.reason, row.stamped_at = "not by a trusted authority", ""
        return
    row.state, row.answer = State.VERIFIED if roots else State.STORED, answer


def _is_verified(
    read: "tsp.TimeStampResponse", request: "tsp.TimeStampRequest", note: bytes, roots: Sequence[Certificate]
) -> bool:
    builder = protocol.VerifierBuilder.from_request(request)
    for root in roots:
        builder = builder.add_root_certificate(root)
    try:
        return builder.build().verify_message(read, note)
    except (protocol.VerificationError, ValueError):
        return False


def _wait(tries: int) -> timedelta:
    """How long to wait after so many tries: twice as long each time, up to a limit."""
    return min(FIRST_WAIT * (1 << min(tries - 1, 10)), LONGEST_WAIT)
