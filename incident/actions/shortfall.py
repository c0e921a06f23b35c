"""Whom no channel of a sending reached, and what laws allow in their place: notice in public, with the figures that show it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from incident.actions import crowds, notices, public_tasks
from incident.actions.ledger import Ledger, transaction
from incident.domain.clauses import Truth
from incident.domain.errors import Missing, Refused
from incident.domain.facts import Facts
from incident.domain.laws import CHANNELS, Duty, Substitute
from incident.domain.musts import Cite
from incident.domain.notices import Channel
from incident.domain.people import Audience
from incident.domain.public_tasks import Kind
from incident.store import dispatches, incidents, law_editions, obligations, shortfalls
from incident.store import notices as notice_rows
from incident.store.dispatches import Dispatch
from incident.store.incidents import Incident
from incident.store.notices import Notice

INDIVIDUALS = "individuals"
ORDER = (Truth.YES, Truth.OPEN, Truth.NO)


@dataclass(frozen=True)
class Offer:
    """What one law says of notice in place of telling each person, and whether what is known allows it."""

    cite: Cite
    title: str
    truth: Truth
    says: str
    because: Sequence[str]
    wants: Sequence[str]
    by: Sequence[str]
    days: int


@dataclass(frozen=True)
class Shortfall:
    """The figures of whom a sending did not reach: by state, by place, and what laws offer for them."""

    audience: int
    states: dict[str, int]
    places: Sequence[tuple[str, int]]
    offers: Sequence[Offer]

    @property
    def people(self) -> int:
        """How many were not told, as far as is known."""
        return sum(self.states.values())

    @property
    def is_allowed(self) -> bool:
        """Whether some law allows notice in public by what is known."""
        return any(offer.truth is Truth.YES for offer in self.offers)


def of(incident_id: int, row: Dispatch) -> Shortfall:
    """The shortfall of a sending as it is now."""
    states = {state.value: row.counts.of(state) for state in shortfalls.NOT_TOLD if row.counts.of(state)}
    places = shortfalls.by_place(row.id) if states else []
    version = notice_rows.version(row.notice_id, row.version_number)
    wanted = Audience.from_json(version.contents["audience"]["filter"]) if version else Audience()
    facts = incidents.known(incident_id)
    return Shortfall(row.audience, states, places, _offers(incident_id, facts, wanted))


def _offers(incident_id: int, facts: Facts, audience: Audience) -> list[Offer]:
    book = law_editions.of_incident(incident_id)
    owed = dict.fromkeys(
        finding.duty
        for finding in obligations.current(incident_id).values()
        if finding.standing == "owed" and finding.state != "waived"
    )
    duties = [duty for ref in owed if (duty := book.duty(ref)) is not None and INDIVIDUALS in duty.names]
    found = [
        _offer(duty, substitute, facts)
        for duty in duties
        if crowds.meant(book[duty.law].place, audience)
        for substitute in duty.substitute
    ]
    return sorted(found, key=lambda offer: (ORDER.index(offer.truth), offer.cite.law))


def _offer(duty: Duty, substitute: Substitute, facts: Facts) -> Offer:
    answer = substitute.when(facts)
    cite = Cite(duty.law, duty.cite.place, duty.cite.href, duty.confidence)
    by = [CHANNELS[word] for word in substitute.by]
    return Offer(cite, duty.title, answer.truth, substitute.says, answer.because, answer.wants, by, substitute.days)


def _begun(case: Incident, text: Notice, row: Dispatch, untold: int, ledger: Ledger) -> Notice:
    """A draft from the notice of this sending: for the laws that allow it now, with what they want in it, or for none."""
    tasks = public_tasks.of(case.id, untold)
    book, version = law_editions.of_incident(case.id), notice_rows.version(row.notice_id, row.version_number)
    wanted = Audience.from_json(version.contents["audience"]["filter"]) if version else Audience()
    chosen = [
        task
        for task in tasks.waiting
        if task.kind is Kind.SUBSTITUTE and crowds.meant(book[task.cite.law].place, wanted)
    ]
    if chosen:
        return public_tasks.begun(case, chosen, tasks.figures, ledger, model=text)
    title = f"Announcement: {text.title}"[:120]
    return notices.drafted(case, title, ledger, languages=text.languages, model=text, channels=(Channel.ANNOUNCEMENT,))


def announce(incident: str, ref: str, *, actor: str, now: datetime) -> str:
    """Draft an announcement from the notice of this sending, for those it did not reach; its reference. Raises Missing, Refused."""
    with transaction(actor, now) as ledger:
        case = incidents.by_ref(incident)
        row = dispatches.by_ref(case.id, ref) if case else None
        text = notice_rows.by_ref(case.id, row.notice_ref) if case and row else None
        if case is None or row is None or text is None:
            raise Missing()
        found = of(case.id, row)
        if not found.people:
            raise Refused(
                "Everybody was told by this sending: there is nobody whom an announcement would have to reach."
            )
        made = _begun(case, text, row, found.people, ledger)
        ledger.write(
            "notice.announcement_proposed",
            made.ref,
            incident=incident,
            sending=ref,
            states=found.states,
            people=row.audience,
        )
    return made.ref
