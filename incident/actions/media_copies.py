"""Have an approved notice handed to newsrooms, by e-mail or on paper; each attempt is a row, and what became of it a line."""

from collections.abc import Collection, Sequence
from datetime import datetime

from incident.actions import releases
from incident.actions.ledger import Ledger, transaction
from incident.actions.merging import House, sheet_of, values_of
from incident.actions.notices import approved_version
from incident.domain import layouts
from incident.domain import letters as letter_rules
from incident.domain import notices as notice_rules
from incident.domain import outlets as rules
from incident.domain.errors import Invalid, Missing, Refused
from incident.domain.handovers import State
from incident.domain.notices import Channel
from incident.domain.outlets import Way
from incident.domain.wording import cleaned
from incident.exports.letters import Letter, PrintFile, Unprintable, print_file
from incident.store import incidents, notices
from incident.store import outlets as rows
from incident.store.db import db, new_ref, new_secret_ref
from incident.store.incidents import Incident, Note
from incident.store.notices import Notice, NoticeVersion
from incident.store.outlets import MediaCopy, MediaOutlet
from notifiers.contract import Channels, Message


def ask(
    incident: str,
    ref: str,
    outlets: Collection[str],
    *,
    way: str,
    digest: str,
    because: str = "",
    channels: Channels,
    actor: str,
    now: datetime,
) -> int:
    """Have this notice handed to newsrooms; how many. E-mail goes out by background work. Raises Refused, Invalid, Missing."""
    if way not in set(Way):
        raise Invalid("way", "Choose e-mail or paper.")
    with transaction(actor, now) as ledger:
        case, notice, version = _approved(incident, ref)
        notice_rules.demand_same(digest, version.digest)
        releases.demand_releaser(actor, notice, version)
        chosen = rows.by_refs(outlets)
        if not chosen or len(chosen) != len(set(outlets)):
            raise Invalid("outlets", "Choose newsrooms from the list.")
        rules.demand_address(
            Way(way), [one.name for one in chosen if not (one.email if way == "email" else one.address)]
        )
        simulated = case.kind == "drill" or (way == Way.EMAIL and "email" not in channels.real)
        made = _copies(version, chosen, Way(way), because, simulated=simulated, ledger=ledger, case=case)
        if not made:
            raise Refused("Each of these newsrooms has this notice already, or it is on its way.")
        ledger.write(
            "media.asked",
            ref,
            incident=incident,
            version=version.number,
            digest=version.digest,
            way=way,
            count=len(made),
            outlets=[one.ref for one in chosen][:50],
            simulated=simulated,
        )
    return len(made)


def _copies(
    version: NoticeVersion,
    chosen: Sequence[MediaOutlet],
    way: Way,
    because: str,
    *,
    simulated: bool,
    ledger: Ledger,
    case: Incident,
) -> list[MediaCopy]:
    """The next attempt for each newsroom that has none which stands."""
    last: dict[int, MediaCopy] = {row.outlet_id: row for row in reversed(rows.copies(version.id))}
    on_paper = State.SIMULATED if simulated else State.PRINTED
    made = []
    for outlet in chosen:
        before = last.get(outlet.id)
        if not rules.may_follow(State(before.state) if before else None, because=because):
            continue
        row = MediaCopy(
            ref=new_secret_ref(),
            incident_id=case.id,
            notice_version_id=version.id,
            outlet_id=outlet.id,
            attempt=before.attempt + 1 if before else 1,
            way=way.value,
            language=notice_rules.language_for(outlet.language, version.contents["languages"]),
            state=State.WAITING if way is Way.EMAIL else on_paper,
            simulated=simulated,
            next_at=ledger.now,
            asked_by=ledger.actor,
            asked_at=ledger.now,
            changed_at=ledger.now,
        )
        db.session.add(row)
        made.append(row)
        if before is not None and before.state == State.IN_DOUBT:
            _note(case, before, outlet, because, ledger)
    return made


def _note(case: Incident, before: MediaCopy, outlet: MediaOutlet, because: str, ledger: Ledger) -> None:
    """Keep among the incident's notes why a second copy may go out."""
    text = f"Handed to the newsroom {outlet.ref} once more, though {before.ref} may have gone out: {cleaned(because)}"
    note = Note(ref=new_ref("NT"), incident_id=case.id, text=text, written_at=ledger.now, written_by=ledger.actor)
    db.session.add(note)
    ledger.write("note.added", note.ref, incident=case.ref)


def say(incident: str, copy: str, *, actor: str, now: datetime) -> None:
    """Say that a printed notice was handed over, or that what is in doubt did go out. Raises Refused, Missing."""
    with transaction(actor, now) as ledger:
        case, row = incidents.by_ref(incident), rows.copy(copy, locked=True)
        if case is None or row is None or row.incident_id != case.id:
            raise Missing()
        then = rules.SETTLED_BY_HAND.get(State(row.state))
        if then is None:
            raise Refused("There is nothing to say of it by hand.")
        row.state, row.reason, row.changed_at = then, "said_by_a_person", now
        settled(row, case, ledger)


def paper(incident: str, ref: str, *, form: str, house: House) -> PrintFile:
    """The notice as letters to all newsrooms that get it on paper, as one file. Raises Missing, Refused."""
    _, _, version = _approved(incident, ref)
    on_paper = [row for row in rows.copies(version.id) if row.way == Way.PAPER]
    known = rows.by_ids([row.outlet_id for row in on_paper])
    copies = [row for row in on_paper if known[row.outlet_id].address]
    if not copies:
        raise Missing()
    country = known[copies[0].outlet_id].places[0].partition("-")[0]
    try:
        return print_file(
            [_letter(row, known[row.outlet_id], version) for row in reversed(copies)],
            letter_rules.form_for(country, form or letter_rules.BY_COUNTRY),
            name=f"{ref}-newsrooms",
            sender=house.senders.get("letter", ""),
            author=house.company.get("name", ""),
            first=1,
            at=copies[-1].asked_at,
        )
    except Unprintable as trouble:
        raise Refused(str(trouble)) from None


def _letter(row: MediaCopy, outlet: MediaOutlet, version: NoticeVersion) -> Letter:
    lines = (outlet.name, *outlet.address.split("\n"))
    country = outlet.places[0].partition("-")[0]
    return Letter(row.ref, lines, message(row, outlet, version).html, row.language, country)


def message(row: MediaCopy, outlet: MediaOutlet, version: NoticeVersion) -> Message:
    """The approved text as everybody reads it, in the newsroom's language."""
    made = layouts.composed(sheet_of(version, row.language), Channel.ANNOUNCEMENT, values_of(version, row.language))
    return Message(
        ref=row.ref,
        to=outlet.email,
        subject=layouts.subject_line(made.subject),
        text=layouts.subject_line(made.text),
        html=layouts.subject_line(made.html) if made.html else "",
        language=row.language,
        thread=row.ref,
    )


def settled(row: MediaCopy, case: Incident, ledger: Ledger) -> None:
    """A line for what became of one attempt."""
    outlet = rows.by_ids([row.outlet_id])[row.outlet_id]
    ledger.write(
        "media.settled", row.ref, incident=case.ref, outlet=outlet.ref, way=row.way, state=row.state, reason=row.reason
    )


def _approved(incident: str, ref: str) -> tuple[Incident, Notice, NoticeVersion]:
    case = incidents.by_ref(incident)
    notice = notices.by_ref(case.id, ref) if case else None
    if case is None or notice is None:
        raise Missing()
    rules.demand_ready(notice.stage, notice.channels)
    return case, notice, approved_version(ref)
