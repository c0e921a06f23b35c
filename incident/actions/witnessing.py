"""Take in what witnesses outside have signed on checkpoints of the record."""

from datetime import datetime

from incident.actions.ledger import instant, transaction
from incident.domain import audit as rules
from incident.domain.audit import Checkpoint, Malformed, Witnesses
from incident.domain.errors import Invalid
from incident.store import checkpoints, record_keys
from incident.store import witnesses as rows


def take_in(note: str, by: Witnesses, *, actor: str, now: datetime) -> list[str]:
    """Keep the signatures of known witnesses on one of our checkpoints; the names of those that are new. Raises Invalid.

    A witness's signature is enough: it does not matter who brings it.
    """
    given = _read(note)
    with transaction(actor, now) as ledger:
        own = checkpoints.of(given.size)
        if own is None or Checkpoint.read(own.note).text != given.text:
            raise Invalid("note", _another(given))
        kept = {row.public for row in rows.of(given.size)}
        new = []
        for witness in by.keys:
            if witness.public.hex() not in kept and (at := _seen_at(given, witness)) is not None:
                line = rules.signature_line(witness, given.signature(witness) or b"")
                rows.add(given.size, witness, seen_at=at, line=line, at=instant(now))
                new.append(witness)
        if not new:
            raise Invalid(
                "note", "There is no signature in it by a witness of this installation that is not here already."
            )
        ledger.write("checkpoint.cosigned", f"C-{given.size}", keys=[witness.id.hex() for witness in new])
    return [witness.name for witness in new]


def _read(note: str) -> Checkpoint:
    try:
        return Checkpoint.read(note.replace("\r\n", "\n").strip("\n") + "\n")  # forms send CR LF, and mails add lines
    except Malformed as error:
        raise Invalid("note", f"{str(error).capitalize()}.") from None


def _seen_at(given: Checkpoint, witness: rules.Key) -> int | None:
    try:
        return given.seen_at(witness, record_keys.judge)
    except Malformed as error:
        raise Invalid("note", f"{str(error).capitalize()}.") from None


def _another(given: Checkpoint) -> str:
    """Why a checkpoint is not one of ours; where the record's own key signed it, that is a fork, and is said to be one."""
    if any(given.trouble(row.key, record_keys.judge) is None for row in record_keys.every()):
        return (
            "This checkpoint was signed with the record's own key, and is not one of this record: there is another one under its name. "
            "Keep it, and talk to the auditors."
        )
    return "This is not a checkpoint of this record."
