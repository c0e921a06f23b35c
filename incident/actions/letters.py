"""Letters in batches: asked for, printed into sealed files, posted by people or thrown away. Nothing is told by printing.

A batch goes the way of every other batch of a sending: claimed, begun while the approval stands, settled in one transaction
with the batch itself. So a print file can be had exactly when every letter in it is accounted for.
"""

import io
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import groupby
from pathlib import Path
from typing import Any, ClassVar

from incident.actions import letter_files
from incident.actions.ledger import Ledger, transaction
from incident.actions.preparing import ACTOR, approved, incident_ref, take_over
from incident.actions.sending import LEASE, WORKER, Flow, Wave
from incident.actions.settling import Batch
from incident.domain import deliveries as delivery_rules
from incident.domain import ladders
from incident.domain import letters as rules
from incident.domain.addresses import postal
from incident.domain.deliveries import Course, Happening, State
from incident.domain.errors import Invalid, Missing, Refused
from incident.domain.letters import MOST_IN_A_FILE, Form, Printed, Stage
from incident.exports.letters import Letter, Unprintable, check, fits, print_file
from incident.store import claims, dispatches, files, incidents, notices, tallies
from incident.store import letters as rows
from incident.store.claims import Held
from incident.store.db import db, new_ref
from incident.store.deliveries import Delivery
from incident.store.dispatches import Dispatch
from incident.store.incidents import Incident
from incident.store.letters import CHANNEL, LetterBatch
from incident.store.sealed import Sealer, sealer
from incident.store.tallies import Moves
from notifiers.contract import Answer, Callback, Event, Forged, Message, Outcome

LARGEST = 512 * 1024 * 1024
Clock = Callable[[], datetime]


@dataclass(frozen=True)
class Paper:
    """What this installation prints on: a form or by-country, the country it posts in, the organisation's name."""

    form: str
    country: str
    author: str


def ask(incident: str, dispatch: str, *, most: int, actor: str, now: datetime) -> str:
    """Have the next letters of a sending printed; the reference of the batch. Raises Missing, Refused, Invalid."""
    with transaction(actor, now) as ledger:
        case = _case(incident)
        row = dispatches.locked(dispatch)
        if row is None or row.incident_id != case.id:
            raise Missing()
        wanted = rules.size(most)
        if row.simulated or row.course != Course.SENDING or dispatches.frozen():
            raise Refused("This sending is not going on just now, so no letter of it can be printed.")
        if not any(found.id == row.id for found, _ in rows.to_print(case.id)):
            raise Refused("No letter of this sending waits to be printed.")
        batch = LetterBatch(
            ref=new_ref("B"), incident_id=case.id, dispatch_id=row.id, wanted=wanted, asked_by=actor, asked_at=now
        )
        db.session.add(batch)
        db.session.flush()
        ledger.write("letters.asked", batch.ref, incident=incident, dispatch=row.ref, most=wanted)
        ledger.soon("letters.print", batch.ref)
    return batch.ref


def due(now: datetime) -> list[str]:
    """The batches that are to be made."""
    return list(rows.asked())


def do(ref: str, *, folder: Path, paper: Paper, clock: Clock, lease: timedelta = LEASE) -> None:
    """Make one batch: safe to repeat, to kill, and to run twice at once."""
    batch = rows.anywhere(ref)
    dispatch = dispatches.by_id(batch.dispatch_id) if batch else None
    if batch is None or dispatch is None or batch.stage != Stage.ASKED:
        return
    take_over(dispatch, now=clock())
    version = notices.version(dispatch.notice_id, dispatch.version_number)
    sender = version.contents["senders"].get(CHANNEL, "") if version else ""
    press = Press(ref, batch.wanted, paper, sender, folder, sealer(batch.incident_id), clock)
    run = Pressing(dispatch.ref, {CHANNEL: press}, clock, lease, press=press)
    if not run.once():
        _nothing_printed(ref, dispatch.ref, now=clock())


def _nothing_printed(ref: str, dispatch: str, *, now: datetime) -> None:
    """Close a batch for which nothing was there to print. While another worker holds its letters it stays asked for."""
    with transaction(ACTOR, now) as ledger:
        row = dispatches.locked(dispatch)
        batch = rows.anywhere(ref, hold=True)
        if row is None or batch is None or batch.stage != Stage.ASKED or (row.sending and row.course == Course.SENDING):
            ledger.unchanged()
            return
        batch.stage, batch.ended_at, batch.ended_by = Stage.EMPTY, now, ACTOR
        ledger.write("letters.none", batch.ref, incident=incident_ref(row))


@dataclass
class Press:
    """Prints one batch into sealed files. To the engine it is a channel: one answer a letter."""

    ref: str
    batch: int
    paper: Paper
    sender: str
    folder: Path
    key: Sealer
    clock: Clock
    places: dict[str, str] = field(default_factory=dict)
    files: list[dict[str, Any]] = field(default_factory=list)
    printed: list[Printed] = field(default_factory=list)

    channel = CHANNEL
    provider = rules.PROVIDER
    simulated = False
    calls = 1
    rate = 0.0

    def send(self, batch: Sequence[Message]) -> list[Answer]:
        """Print these letters. One that cannot be printed keeps nobody else back."""
        answers: dict[str, Answer] = {}
        letters: list[tuple[Form, Letter]] = []
        for message in batch:
            form, letter = self._letter(message)
            if not fits(letter.lines, form):
                answers[message.ref] = Answer(message.ref, Outcome.REFUSED, reason="address_too_long")
                continue
            try:
                check(letter, self.sender)
            except Unprintable:
                answers[message.ref] = Answer(message.ref, Outcome.REFUSED, reason="letter_not_in_fonts")
            else:
                letters.append((form, letter))
        letters.sort(key=lambda one: (one[0].key, one[1].country))
        for _, group in groupby(letters, key=lambda one: one[0].key):
            same = list(group)
            for start in range(0, len(same), MOST_IN_A_FILE):
                answers |= self._file([letter for _, letter in same[start : start + MOST_IN_A_FILE]], same[0][0])
        return [answers[message.ref] for message in batch]

    def _letter(self, message: Message) -> tuple[Form, Letter]:
        country = self.places.get(message.ref, "")[:2]
        lines = postal(tuple(message.to.split("\n")), country, home=self.paper.country)
        form = rules.form_for(country or self.paper.country, self.paper.form)
        return form, Letter(message.ref, lines, message.html, message.language, country)

    def _file(self, letters: Sequence[Letter], form: Form) -> dict[str, Answer]:
        name = f"{self.ref}-{len(self.files) + 1}.pdf"
        try:
            made = print_file(
                letters,
                form,
                name=name,
                sender=self.sender,
                author=self.paper.author,
                first=len(self.printed) + 1,
                at=self.clock(),
            )
        except Unprintable:
            return self._apart(letters, form)
        stored_as = letter_files.new_name(self.ref)
        kept = files.keep(io.BytesIO(made.content), self.folder / stored_as, self.key, stored_as, most=LARGEST)
        self.printed += made.letters
        self.files.append(
            {
                "name": name,
                "stored_as": stored_as,
                "form": form.key,
                "letters": len(letters),
                "pages": made.pages,
                "size": kept.size,
                "sha256": kept.sha256,
            }
        )
        return {one.ref: Answer(one.ref, Outcome.ACCEPTED, self.ref, "printed") for one in letters}

    def _apart(self, letters: Sequence[Letter], form: Form) -> dict[str, Answer]:
        """Find the letter that the typesetter refuses, by halves."""
        if len(letters) == 1:
            return {letters[0].ref: Answer(letters[0].ref, Outcome.REFUSED, reason="letter_not_in_fonts")}
        middle = len(letters) // 2
        return self._file(letters[:middle], form) | self._file(letters[middle:], form)

    def discard(self) -> None:
        """Take away the files of a batch that came to nothing."""
        for file in self.files:
            (self.folder / file["stored_as"]).unlink(missing_ok=True)

    def events(self, callback: Callback) -> list[Event]:
        """Nothing is reported from outside. Raises Forged."""
        raise Forged("The post reports nothing here.")


@dataclass
class Pressing(Wave):
    """One worker's run over one batch of letters."""

    press: Press | None = None
    kept: bool = False
    held: Held | None = None
    alone: ClassVar[bool] = True  # it moves the batch of letters too

    def once(self) -> bool:
        """Claim, print, settle; whether there was anything to print. Files that no settled batch holds are taken away."""
        press = self.press
        row = dispatches.anywhere(self.ref)
        if row is None or press is None or row.course != Course.SENDING or dispatches.frozen():
            return False
        flow = self.flows[CHANNEL] = Flow(press)
        with ThreadPoolExecutor(1, thread_name_prefix="press") as self.pool:
            try:
                self._send_one(row, CHANNEL, flow)
                while self.flying:
                    self._settle_some(all_of_them=True)
            finally:
                if not self.kept:
                    press.discard()
        return self.held is not None

    def _claim(self, row: Dispatch, channel: str, most: int) -> Held | None:
        self.held = claims.claim(
            row.id,
            channel,
            most,
            worker=WORKER,
            lease=self.lease,
            now=self.clock(),
            provider=rules.PROVIDER,
            by_hand=True,
        )
        return self.held

    def _written(self, row: Dispatch, held: Held) -> Batch | None:
        if self.press is not None:
            places = rows.places_of([member.person_id for member in held.rows])
            self.press.places = {member.ref: places.get(member.person_id, "") for member in held.rows}
        return super()._written(row, held)

    def _settled(self, row: Dispatch, states: Sequence[tuple[str, str]], ledger: Ledger, incident: str) -> None:
        """The batch itself, in the transaction that settles its letters; nothing if another has taken them over."""
        press = self.press
        batch = rows.anywhere(press.ref, hold=True) if press else None
        taken = {ref for ref, state in states if state == State.ACCEPTED}
        if press is None or self.held is None or batch is None:
            return
        if batch.stage != Stage.ASKED or {one.ref for one in press.printed} != taken:
            raise RuntimeError("Another worker made this batch, or holds its letters: nothing of this one is kept.")
        batch.letters, batch.pages = len(press.printed), sum(file["pages"] for file in press.files)
        batch.files, batch.digest = press.files, rules.digest(press.printed)
        batch.made_at = ledger.now
        if not taken:
            batch.stage, batch.ended_at, batch.ended_by = Stage.EMPTY, ledger.now, ACTOR
            ledger.write("letters.none", batch.ref, incident=incident)
            return
        batch.stage = Stage.MADE
        rows.add(batch.id, press.printed, {member.ref: member.id for member in self.held.rows})
        ledger.write(
            "letters.printed",
            batch.ref,
            incident=incident,
            dispatch=row.ref,
            count=batch.letters,
            pages=batch.pages,
            files=[file["sha256"] for file in press.files],
            digest=batch.digest,
        )
        self.kept = True


# What people do with a batch --------------------------------------------------------------------------------------------


def print_copy(
    incident: str, ref: str, name: str, *, folder: Path, actor: str, now: datetime
) -> tuple[dict[str, Any], Iterator[bytes]]:
    """One print file and its bytes, for the printer; the download leaves a line first. Raises Missing, Refused.

    Until it is posted, only while what was approved still stands.
    """
    with transaction(actor, now) as ledger:
        batch = _batch(incident, ref)
        file = next((one for one in batch.files if one["name"] == name), None)
        if file is None:
            raise Missing()
        rules.demand(Stage(batch.stage), Stage.MADE, Stage.POSTED)
        if not file["stored_as"]:
            raise Refused(
                "This print file was destroyed: its time was over, or somebody whose letter was in it was erased."
            )
        if batch.stage == Stage.MADE:
            _demand_standing(batch)
        ledger.write("letters.downloaded", batch.ref, incident=incident, sha256=file["sha256"])
        incident_id = batch.incident_id
    return file, files.pieces(folder / file["stored_as"], sealer(incident_id), file["stored_as"])


def _demand_standing(batch: LetterBatch) -> None:
    row = dispatches.by_id(batch.dispatch_id)
    if row is None or dispatches.frozen() or row.course == Course.STOPPED or approved(row) is None:
        raise Refused("This sending was stopped, or what it sends is no longer approved: print nothing of it.")


def posted(incident: str, ref: str, *, way: str, day: date | None, actor: str, now: datetime, today: date) -> None:
    """These letters left the house on this day, says a person: from now on they count as handed over. Raises as above, Invalid."""
    with transaction(actor, now) as ledger:
        batch = _batch(incident, ref)
        rules.demand(Stage(batch.stage), Stage.MADE)
        if way not in rules.CARRIES:
            raise Invalid("way", "Choose how they left: " + ", ".join(rules.CARRIES.values()) + ".")
        made = (batch.made_at or batch.asked_at) - timedelta(days=1)  # the day there may be the one before here
        batch.posted_on = rules.posting_day(day, made=made.date(), today=today)
        dispatches.lock([batch.dispatch_id])
        steps = dispatches.steps_of([batch.dispatch_id])[batch.dispatch_id]
        for row in rows.deliveries_of(batch.id):
            if rows.is_taken(row):
                row.reason, row.called_at, row.changed_at, row.settled_by = "posted", now, now, actor
                if row.current:
                    row.climb_at = ladders.look_at(steps, CHANNEL, State.ACCEPTED, now)
        batch.stage, batch.way, batch.ended_at, batch.ended_by = Stage.POSTED, way, now, actor
        ledger.write(
            "letters.posted",
            batch.ref,
            incident=incident,
            count=batch.letters,
            way=way,
            day=batch.posted_on.isoformat(),
            digest=batch.digest,
        )


def throw_away(incident: str, ref: str, *, typed: str, folder: Path, actor: str, now: datetime) -> int:
    """Not one of these letters was posted, says a person: they wait again; how many. Raises Missing, Refused, Invalid."""
    with transaction(actor, now) as ledger:
        batch = _batch(incident, ref)
        rules.demand(Stage(batch.stage), Stage.MADE)
        if typed.replace(",", "").replace(" ", "") != str(batch.letters):
            raise Invalid("typed", f"Type how many letters are thrown away: {batch.letters:,}.")
        dispatches.lock([batch.dispatch_id])
        row = dispatches.by_id(batch.dispatch_id)
        if row is None:
            raise Missing()
        back = [one for one in rows.deliveries_of(batch.id) if rows.is_taken(one)]
        count = _put_back(row, back, now)
        stored = [file["stored_as"] for file in batch.files]
        batch.stage, batch.ended_at, batch.ended_by = Stage.DROPPED, now, actor
        ledger.write("letters.thrown_away", batch.ref, incident=incident, count=count, digest=batch.digest)
    for name in stored:
        (folder / name).unlink(missing_ok=True)
    return count


def _put_back(row: Dispatch, back: Sequence[Delivery], now: datetime) -> int:
    waits = delivery_rules.waits_or_not(Course(row.course))
    moved: Moves = Counter()
    for one in back:
        before = tallies.place(one)
        one.state = delivery_rules.after(State(one.state), Happening.UNPRINTED) if waits is State.WAITING else waits
        one.due_at = delivery_rules.NO_WORKERS_TURN if waits is State.WAITING else None
        one.reason, one.provider_id, one.answered_at, one.climb_at, one.changed_at = "", "", None, None, now
        if not one.current:  # the next channel was taken meanwhile: this attempt is over
            one.state, one.due_at, one.reason = State.CANCELLED, None, ladders.WITHDRAWN
        if one.current:
            moved[before] -= 1
            moved[tallies.place(one)] += 1
    db.session.flush()
    tallies.count(row.id, moved, now)
    return len(back)


def manifest(incident_id: int, ref: str) -> tuple[LetterBatch, Iterator[tuple[str | int, ...]]]:
    """A batch and the rows of its manifest. Raises Missing."""
    batch = rows.by_ref(incident_id, ref)
    if batch is None or batch.stage not in (Stage.MADE, Stage.POSTED):
        raise Missing()
    digests = {file["name"]: file["sha256"] for file in batch.files}
    return batch, iter(rules.manifest(batch.ref, rows.printed(batch.id), digests))


def _case(incident: str) -> Incident:
    case = incidents.by_ref(incident)
    if case is None:
        raise Missing()
    return case


def _batch(incident: str, ref: str) -> LetterBatch:
    batch = rows.by_ref(_case(incident).id, ref, hold=True)
    if batch is None:
        raise Missing()
    return batch
