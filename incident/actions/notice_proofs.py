"""The proof that one person was told: what each channel got and when, with the lines that show it, verifiable alone.

What is in it is gathered from rows; the lines about batches hold roots alone, so the batches are built again and the way to
the root is kept. A line of the record then speaks of the files, a checkpoint is signed over it, and the excerpt goes in last
(docs/record.md, "The proof of notice of one person").
"""

import io
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from secrets import token_bytes
from typing import Final
from zoneinfo import ZoneInfo

from incident.actions import checkpoints, merging
from incident.actions.batches import opened, place
from incident.actions.ledger import instant, transaction
from incident.actions.people import by_person_ref
from incident.actions.throttled import take
from incident.domain import check_codes
from incident.domain import notice_proofs as rules
from incident.domain import people as person_rules
from incident.domain.audit import EXCERPT, MANIFEST, PROOF, PROOF_FORMAT, PROVED, canonical
from incident.domain.deliveries import State as Stands
from incident.domain.errors import Missing, Refused
from incident.domain.notice_proofs import SALT_BYTES, Attempt, Heard, Proof, Sent, Step
from incident.domain.people import Addressee, Plain, State
from incident.domain.reported import Known, hear
from incident.exports import notice_proof, pdf
from incident.store import audit, incidents, notices, provider_events, remedies, sealed
from incident.store import checkpoints as signed
from incident.store import notice_proofs as rows
from incident.store import people as person_rows
from incident.store.audit import AuditLine, Row
from incident.store.db import db
from incident.store.deliveries import Delivery
from incident.store.dispatches import Dispatch
from incident.store.incidents import Incident
from incident.store.people import Person
from incident.store.provider_events import ProviderEvent
from notifiers.contract import Event, Message, Status

MIME: Final = "application/zip"
LIMIT: Final = "proof"
COMMAND_LINE: Final = "cli"  # whoever owns the machine is not counted
NEAR: Final = timedelta(minutes=2)
"""A record is read a moment before its message is handed over."""
COURSE: Final = ("dispatch.started", "dispatch.prepared", "dispatch.finished", "notice.approved")
ERASED: Final = "the contact data of this person was erased, and with it what would be needed to say text and address."

READ_ME: Final = """\
{ref}, {person}: what was sent to this one person, when, and where the record shows it.

proof.pdf     for reading
proof.json    the same for programs; docs/record.md of Tocsin says what is in it
record/       lines of the record, with all that is needed to check them; of all others only hashes
manifest.json every file with its size and SHA-256

To check it, with Python 3.11 or newer and nothing else:

    python audit.py THIS_FILE.zip --checkpoint CHECKPOINT.txt --key KEY --address ADDRESS

audit.py is incident/domain/audit.py of Tocsin. CHECKPOINT.txt is a checkpoint of the record that was kept elsewhere, KEY the
record's public key as you know it, ADDRESS one of the person's own, exactly as it was written to; each may be left out.
"""


@dataclass
class Shown:
    """What the record shows of one attempt, and what it cannot show."""

    steps: list[Step] = field(default_factory=list)
    not_shown: list[str] = field(default_factory=list)

    def take(self, what: str, line: AuditLine | None, entries: Sequence[str], ref: str) -> None:
        """Add the step that this line shows, or say that it cannot be shown."""
        found = line and rules.step(what, line.seq, line.at, rows.details(line).get("digest"), entries, ref)
        if found:
            self.steps.append(found)
        else:
            self.not_shown.append(f"{rules.STEP_WORDS[what]}: {_why_not(line, entries)}")


def _why_not(line: AuditLine | None, entries: Sequence[str]) -> str:
    if line is None:
        return "no line of the record about this was found."
    if not entries:
        return f"line {line.seq} is about it, but it is from before Tocsin kept what it takes to show a single person in it."
    return f"line {line.seq} is about it, but the batch cannot be built again as it was."


def make(
    incident: str, person: str, *, author: str, zone: ZoneInfo, actor: str, clock: Callable[[], datetime]
) -> bytes:
    """The proof as a zip; that it was made, for whom, stands in the record. Raises Missing, Refused, TooMany."""
    if actor != COMMAND_LINE:
        take(LIMIT, actor, now=clock())
    case, somebody = _whom(incident, person)
    proof = gathered(case, somebody, clock().astimezone(UTC))
    files = _files(proof, author, zone)
    manifest = _manifest(proof, files)
    about = {"files": len(files), "manifest": sha256(manifest).hexdigest()}
    db.session.rollback()
    with transaction(actor, clock()) as ledger:
        ledger.write(PROVED, somebody.ref, incident=case.ref, **about)
    checkpoints.sign(actor=actor, now=clock())
    return _packed(proof, files | {MANIFEST: manifest}, canonical(about))


def _whom(incident: str, person: str) -> tuple[Incident, Person]:
    case = incidents.by_ref(incident)
    if case is None:
        raise Missing()
    return case, by_person_ref(case, person)


def gathered(case: Incident, person: Person, now: datetime) -> Proof:
    """All attempts to tell this person. Raises Refused where there is none."""
    found = rows.deliveries_of(case.id, person.id)
    if not found:
        raise Refused("Nothing was sent to this person, nor tried: there is nothing to prove.")
    heard = provider_events.events_of([row.id for row, _ in found])
    events: dict[int, list[ProviderEvent]] = {}
    for event in heard:
        events.setdefault(event.delivery_id or 0, []).append(event)
    attempts = [_attempt(case, person, row, sending, events.get(row.id, [])) for row, sending in found]
    return Proof(case.ref, case.kind, person.ref, audit.identity(), now, attempts)


def _attempt(
    case: Incident, person: Person, row: Delivery, sending: Dispatch, events: Sequence[ProviderEvent]
) -> Attempt:
    shown = Shown()
    _on_the_list(case.ref, row, sending, shown)
    _in_a_batch(case.ref, row, sending, shown)
    _reported(case.ref, row, sending, events, shown)
    return Attempt(
        ref=row.ref,
        sending=sending.ref,
        simulated=sending.simulated,
        notice=sending.notice_ref,
        version=sending.version_number,
        approved_digest=sending.digest,
        channel=row.channel,
        attempt=row.attempt,
        language=row.language,
        state=row.state,
        reason=row.reason,
        code=row.code,
        provider=row.provider,
        provider_id=row.provider_id,
        listed_at=row.made_at,
        handed_over_at=row.called_at,
        answered_at=row.answered_at,
        sent=_sent(case, person, row, sending, shown),
        heard=[_heard(event) for event in events],
        steps=shown.steps,
        not_shown=shown.not_shown,
    )


def _heard(event: ProviderEvent) -> Heard:
    words = event.event_id, event.provider, event.status, event.reason, event.code
    return Heard(*words, event.at, event.received_at, event.fields)


# What the record shows ------------------------------------------------------------------------------------------------


def _on_the_list(incident: str, row: Delivery, sending: Dispatch, shown: Shown) -> None:
    """The line by which this attempt came to be."""
    if row.came_from:
        climbed = rows.lines(incident, sending.ref, ["deliveries.climbed"], [instant(row.made_at)])
        line = next(iter(climbed), None)
        shown.take("followed", line, [f"{ref} after {before}" for ref, before in rows.made_after(row)], row.ref)
    elif row.attempt == sending.first_attempt:
        for line in rows.lines(incident, sending.ref, ["deliveries.made"], [instant(row.made_at)]):
            first, last = (rows.details(line)[name] for name in ("first", "last"))
            if first <= row.person_number <= last:
                listed = [f"{one.ref} P-{one.person}" for one in rows.listed_with(row, first, last)]
                shown.take("listed", line, listed, row.ref)
                return
        shown.take("listed", None, [], row.ref)
    else:
        shown.not_shown.append(
            "that a person had this attempt made after an earlier one, whose line names both or counts them."
        )


def _in_a_batch(incident: str, row: Delivery, sending: Dispatch, shown: Shown) -> None:
    """The lines of the batch with which this attempt was handed over."""
    held = rows.claim(row.claim_id) if row.claim_id is not None and row.called_at is not None else None
    if held is None:
        return
    members = rows.members(held)
    line = rows.of_claim(incident, sending.ref, "deliveries.handed_over", held.id)
    shown.take("handed over", line, [f"{one.ref} {Stands.SENDING}" for one in members], row.ref)
    if held.state == "lost":
        line = rows.of_claim(incident, sending.ref, "deliveries.in_doubt", held.id)
        shown.take("in doubt", line, [f"{one.ref} {Stands.IN_DOUBT}" for one in members], row.ref)
    elif held.state == "settled":
        line = rows.of_claim(incident, sending.ref, "deliveries.settled", held.id)
        counted = rows.details(line)["states"] if line else {}
        settled = [f"{ref} {state}" for ref, state in rows.states(held, counted)]
        shown.take("settled", line, settled, row.ref)


def _reported(incident: str, row: Delivery, sending: Dispatch, events: Sequence[ProviderEvent], shown: Shown) -> None:
    """The lines of the posts in which the provider reported on this attempt."""
    posts = {(event.received_at, event.provider): event for event in events}
    for (at, provider), event in sorted(posts.items()):
        found = rows.lines(incident, sending.ref, ["deliveries.reported"], [instant(at)])
        line = next((one for one in found if rows.details(one).get("provider") == provider), None)
        states = sorted((ref, _stood(said)) for ref, said in rows.post_of(event, row.dispatch_id).items())
        shown.take("reported", line, [f"{ref} {state}" for ref, state in states], row.ref)


def _stood(reports: Sequence[ProviderEvent]) -> str:
    """How a delivery that was accepted stood after these reports."""
    known = Known(Stands.ACCEPTED)
    for event in reports:
        said = Event(
            event.event_id, Status(event.status), event.ref, event.provider_id, event.at, event.reason, event.code
        )
        hear(known, [said], event.received_at)
    return known.state.value


# What was written -----------------------------------------------------------------------------------------------------


def _sent(case: Incident, person: Person, row: Delivery, sending: Dispatch, shown: Shown) -> Sent | None:
    """The message as it was handed over, made again of the approved text and the record as it stood; None if none was."""
    if row.called_at is None:
        return None
    version = notices.version(sending.notice_id, sending.version_number)
    if person.state == State.ERASED or sealed.is_erased(case.id) or version is None:
        shown.not_shown.append(ERASED)
        return None
    past = [one for one in person_rows.past(person.id) if one.changed_at > row.called_at - NEAR]
    if past and past[-1].changed_at < row.called_at + NEAR:
        shown.not_shown.append(
            "which form of the record was read: it was corrected within two minutes of the handing over."
        )
    addressee = _as_it_stood(case, person, row.called_at)
    codes = remedies.codes(case.id, [person.number], sealed.sealer(case.id)).get(person.number, ())
    addressee = addressee._replace(remedies=codes)
    [made] = merging.messages(version, [(row.ref, f"{sending.ref}.{row.person_number}", addressee)], row.channel)
    if not isinstance(made, Message):
        shown.not_shown.append("the text: a field of it has no value in the record as it stood then.")
        return None
    return Sent(made.to, token_bytes(SALT_BYTES), made.subject, made.text, made.html, made.language)


def _as_it_stood(case: Incident, person: Person, at: datetime) -> Addressee:
    """Whom the record named at that moment; earlier forms are kept."""
    key = sealed.sealer(case.id)
    code = check_codes.own_part(person.number, key.mark(check_codes.PURPOSE, str(person.number)))
    later = [one for one in person_rows.past(person.id) if one.changed_at > at]
    if not later:
        record = opened(key.unseal(place(person.number, person.version), person.sealed))
        return person_rules.addressed(person.number, record, person.plain, code)
    then = later[-1]
    record = opened(key.unseal(place(person.number, then.version), then.sealed))
    return person_rules.addressed(person.number, record, Plain(**then.plain), code)


# The file -------------------------------------------------------------------------------------------------------------


def _files(proof: Proof, author: str, zone: ZoneInfo) -> dict[str, bytes]:
    said = READ_ME.format(ref=proof.incident, person=proof.person)
    return {
        "README.txt": said.encode(),
        PROOF: canonical(rules.data(proof)).encode(),
        "proof.pdf": pdf.pdf(notice_proof.document(proof, author, zone)),
    }


def _manifest(proof: Proof, files: dict[str, bytes]) -> bytes:
    listed = [
        {"bytes": len(content), "path": path, "sha256": sha256(content).hexdigest()}
        for path, content in sorted(files.items())
    ]
    return canonical(
        {"files": listed, "format": PROOF_FORMAT, "incident": proof.incident, "made_at": instant(proof.made_at)}
    ).encode()


def _packed(proof: Proof, files: dict[str, bytes], about: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        for path, content in files.items():
            made.writestr(_entry(path, proof.made_at), content)
        made.writestr(_entry(EXCERPT, proof.made_at), b"".join(signed.excerpt(_showing(proof, about))))
    return out.getvalue()


def _entry(path: str, at: datetime) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(path, at.timetuple()[:6])
    entry.compress_type = zipfile.ZIP_DEFLATED
    return entry


def _showing(proof: Proof, about: str) -> Callable[[Row], bool]:
    """Whether a line is shown: those of the steps, of the sendings' course and approval, and of this person alone."""
    course = {subject for one in proof.attempts for subject in (one.sending, one.notice)}
    own = {proof.person, *(one.ref for one in proof.attempts)}

    def shows(row: Row) -> bool:
        seq, _, _, verb, subject, incident, details, _ = row
        if incident != proof.incident:
            return False
        if verb == PROVED:
            return details == about
        return seq in proof.lines or subject in own or (verb in COURSE and subject in course)

    return shows
