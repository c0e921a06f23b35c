"""Affected people, for programs: the same actions as the pages, masked unless a reason is given."""

from datetime import datetime
from typing import Any, Literal

from apiflask import APIBlueprint
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from incident.actions import correcting, counts, duplicates, erasing, intake, people, sweeping, waves
from incident.actions.sweeping import What
from incident.domain.errors import Refused
from incident.domain.people import Reach
from incident.domain.revealing import PARTS, WHY
from incident.web.access import actor, may, now, permit
from incident.web.attempts import open_channels
from incident.web.erasures import by_two, folder

bp = APIBlueprint("api_people", __name__, url_prefix="/api/v1/incidents/<incident>/people", tag="People")

PAGE = 500
REACHED = {"email": Reach.EMAIL, "phone": Reach.PHONE, "address": Reach.ADDRESS, "push": Reach.PUSH}


class Strict(BaseModel):
    """What is sent to us: unknown fields are refused."""

    model_config = ConfigDict(extra="forbid")


class PeopleQuery(BaseModel):
    after: int = Field(0, ge=0, le=10**9, description="Go on behind the person with this number.")
    limit: int = Field(50, ge=1, le=PAGE)
    state: Literal["active", "suspect", "same", "removed", "erased"] | None = None
    wave: int | None = None
    place: str | None = Field(None, max_length=6, description="A code such as DE or US-TX; empty for not known.")
    language: str | None = Field(None, max_length=12)
    age: str | None = Field(None, max_length=8)
    lacks: Literal["email", "phone", "address", "any"] | None = None
    doubtful: bool = False


class PairQuery(BaseModel):
    after: int = Field(0, ge=0)
    limit: int = Field(25, ge=1, le=100)


class PersonFields(Strict):
    """What is known of a person. Contacts are checked; words are those of the vocabulary."""

    name: str | None = None
    email: str | None = None
    phone: str | None = None
    address: str | None = Field(None, description="Line by line.")
    reference: str | None = Field(None, description="Your own reference.")
    guardian_name: str | None = None
    guardian_email: str | None = None
    guardian_phone: str | None = None
    guardian_address: str | None = Field(None, description="Line by line.")
    push_token: str | None = None
    safe_ways: str | None = Field(
        None,
        description="At risk at home: the only ways that are used, of email, sms, call, letter, push, guardian; or none.",
    )
    deceased: str | None = Field(None, description="yes: nothing but a letter to the next of kin goes out.")
    no_letter: str | None = Field(None, description="yes: no letter goes to the home.")
    place: str | None = None
    language: str | None = None
    age: str | None = None
    exposed: list[str] | None = None

    def values(self) -> dict[str, str]:
        """The fields that were given, as the actions take them."""
        given = self.model_dump(exclude_none=True, include=set(PersonFields.model_fields))
        return {name: " ".join(value) if isinstance(value, list) else value for name, value in given.items()}


class PersonIn(PersonFields):
    wave: int = Field(0, description="0 is the latest wave.")


class PersonChange(PersonFields):
    version: int = Field(description="The version you saw, so that nobody's correction is lost.")
    reason: str = Field(min_length=1, max_length=500)
    tell: bool = Field(
        False,
        description="True: where this gives a new address, what did not reach them goes out there once more, as its"
        " ladder allows. It takes the permit `delivery.settle`.",
    )


class WaveIn(Strict):
    discovered_at: AwareDatetime | None = Field(
        description="When these people were found after the others; null: together with them, without clocks of their own."
    )


class WaveOut(BaseModel):
    number: int
    label: str
    found_at: datetime = Field(description="When their list was brought.")
    discovered_at: datetime | None
    people: int


class WaveList(BaseModel):
    waves: list[WaveOut]


class LookIn(Strict):
    why: str = Field(description=f"One of: {', '.join(WHY)}. It stands in the record.")
    parts: list[str] = Field(list(PARTS), description=f"What to show in clear, of {', '.join(PARTS)}; all unless said.")


class FindIn(Strict):
    find: str = Field(
        max_length=2_000, description="Exactly an e-mail address, a number with country code, or your reference."
    )


class Answer(Strict):
    same: bool = Field(description="True: one person. False: two people.")


class MaskedOut(BaseModel):
    name: str
    email: str
    phone: str
    address: str
    reference: str
    guardian: str


class PersonOut(BaseModel):
    ref: str
    number: int
    state: str
    wave: int
    version: int
    place: str
    language: str
    exposed: list[str]
    age: str
    represented: bool
    reached_by: list[str]
    doubts: list[str]
    masked: MaskedOut


class PersonList(BaseModel):
    people: list[PersonOut]
    after: int | None = Field(description="Give this as `after` for the next page; null at the end.")


class PersonInClear(PersonOut):
    record: dict[str, str]


class PairOut(BaseModel):
    id: int
    by: list[str]
    identical: bool
    earlier: PersonOut
    later: PersonOut


class PairList(BaseModel):
    pairs: list[PairOut]
    after: int | None


class CountsOut(BaseModel):
    active: int
    suspects: int
    apart: int
    doubtful: int
    minors: int
    by_place: dict[str, int]
    by_language: dict[str, int]
    by_wave: dict[str, int]
    reached_by: dict[str, int]
    reached_by_none: int


class Ref(BaseModel):
    ref: str


class Changed(BaseModel):
    changed: list[str]


class Corrected(Changed):
    sent: list[str] = Field(description="The references of the attempts that follow because of a new address.")


class Joined(BaseModel):
    settled: int = Field(
        description="Pairs that were settled at once; 0 while an earlier decision is still carried out."
    )
    left: int = Field(description="Pairs of the kind that are left; they are settled in the background.")


@bp.get("")
@permit("people.view")
@bp.input(PeopleQuery, location="query", arg_name="asked")
@bp.output(PersonList)
def index(incident: str, asked: PeopleQuery) -> dict[str, Any]:
    """People by number, masked."""
    chosen = people.Filter(**asked.model_dump(exclude={"after", "limit"}))
    found = people.page(incident, chosen, after=asked.after, limit=asked.limit)
    return {"people": [_person(one) for one in found], "after": found[-1].number if len(found) == asked.limit else None}


@bp.post("")
@permit("people.change")
@bp.input(PersonIn, arg_name="given")
@bp.output(Ref, status_code=201)
def add(incident: str, given: PersonIn) -> dict[str, str]:
    """Put one person on the list."""
    return {"ref": people.add(incident, given.values(), wave=given.wave, actor=actor(), now=now())}


@bp.get("/counts")
@permit("people.view")
@bp.output(CountsOut)
def count(incident: str) -> dict[str, Any]:
    """How many people there are, where, and how they can be reached."""
    found = counts.of(incident)
    shown = {
        name: getattr(found, name)
        for name in ("active", "suspects", "apart", "doubtful", "minors", "by_place", "by_language")
    }
    return shown | {
        "by_wave": {str(wave): n for wave, n in found.by_wave.items()},
        "reached_by": {word: found.reached_by(way) for word, way in REACHED.items()},
        "reached_by_none": found.reached_by_none,
    }


@bp.get("/waves")
@permit("people.view")
@bp.output(WaveList)
def list_waves(incident: str) -> dict[str, Any]:
    """The waves of people; one that was found later has duties and clocks of its own."""
    by_wave = counts.of(incident).by_wave
    return {
        "waves": [
            {
                "number": wave.number,
                "label": wave.label,
                "found_at": wave.found_at,
                "discovered_at": wave.discovered_at,
                "people": by_wave.get(wave.number, 0),
            }
            for wave in people.waves(incident)
        ]
    }


@bp.put("/waves/<int:number>")
@permit("people.change")
@bp.input(WaveIn, arg_name="given")
@bp.output({}, status_code=204)
def found_later(incident: str, number: int, given: WaveIn) -> str:
    """Say when these people were found after the others: what is owed for them gets clocks of its own."""
    waves.found_later(incident, number, given.discovered_at, actor=actor(), now=now())
    return ""


@bp.post("/facts")
@permit("people.change")
@bp.output(Changed, status_code=201)
def record_counts(incident: str) -> dict[str, Any]:
    """Record what the counts say as facts of the incident: people_count and residents."""
    found = counts.of(incident).facts()
    return {
        "changed": intake.record_facts(
            incident, found, source="list of people", confidence="high", actor=actor(), now=now()
        )
    }


@bp.post("/find")
@permit("people.view")
@bp.input(FindIn, arg_name="given")
@bp.output(PersonList)
def find(incident: str, given: FindIn) -> dict[str, Any]:
    """Who has exactly this contact. The search leaves a line in the record."""
    return {
        "people": [_person(one) for one in people.find(incident, given.find, actor=actor(), now=now())],
        "after": None,
    }


@bp.get("/duplicates")
@permit("people.view")
@bp.input(PairQuery, location="query", arg_name="asked")
@bp.output(PairList)
def pairs(incident: str, asked: PairQuery) -> dict[str, Any]:
    """Pairs that may be one person and that nobody has decided about."""
    found = duplicates.to_decide(incident, after=asked.after, limit=asked.limit)
    shown = [
        {
            "id": two.id,
            "by": two.by,
            "identical": two.identical,
            "earlier": _person(two.earlier),
            "later": _person(two.later),
        }
        for two in found
    ]
    return {"pairs": shown, "after": found[-1].id if len(found) == asked.limit else None}


@bp.post("/duplicates/<int:pair>")
@permit("people.change")
@bp.input(Answer, arg_name="given")
@bp.output({}, status_code=204)
def decide(incident: str, pair: int, given: Answer) -> str:
    """The same person, or two."""
    duplicates.decide(incident, pair, same=given.same, actor=actor(), now=now())
    return ""


@bp.post("/duplicates/identical")
@permit("people.change")
@bp.output(Joined)
def join_identical(incident: str) -> dict[str, int]:
    """Join all pairs whose records are equal in every field: 500 at once, the rest in the background; ask again for what is left."""
    return sweeping.decide_all(incident, What.JOIN, actor=actor(), now=now())._asdict()


@bp.post("/duplicates/apart")
@permit("people.change")
@bp.output(Joined)
def keep_apart(incident: str) -> dict[str, int]:
    """Let all people stand whose records differ: 500 pairs at once, the rest in the background; ask again for what is left."""
    return sweeping.decide_all(incident, What.APART, actor=actor(), now=now())._asdict()


@bp.get("/<person>")
@permit("people.view")
@bp.output(PersonOut)
def show(incident: str, person: str) -> dict[str, Any]:
    """One person, masked."""
    return _person(people.one(incident, person))


@bp.post("/<person>/look")
@permit("people.reveal")
@bp.input(LookIn, arg_name="given")
@bp.output(PersonInClear)
def look(incident: str, person: str, given: LookIn) -> dict[str, Any]:
    """One person in clear. The look leaves a line with its reason."""
    opened = people.look(incident, person, why=given.why, parts=given.parts, actor=actor(), now=now())
    return _person(opened.shown) | {"record": opened.record}


@bp.patch("/<person>")
@permit("people.change")
@bp.input(PersonChange, arg_name="given")
@bp.output(Corrected)
def correct(incident: str, person: str, given: PersonChange) -> dict[str, Any]:
    """Correct one person; what it said before is kept. With `tell`, a notice that did not reach them goes to a new address."""
    if given.tell and not may("delivery.settle"):
        raise Refused("You may correct this, and somebody else sends again: leave out `tell`.")
    done = correcting.correct(
        incident,
        person,
        given.values(),
        reason=given.reason,
        version=given.version,
        opened=open_channels(simulated=False) if given.tell else (),
        actor=actor(),
        now=now(),
    )
    return {"changed": done.changed, "sent": done.sent}


@bp.post("/<person>/remove")
@permit("people.change")
@bp.output({}, status_code=204)
def remove(incident: str, person: str) -> str:
    """Take a person off the list who does not belong on it."""
    people.remove(incident, person, actor=actor(), now=now())
    return ""


@bp.delete("/<person>")
@permit("people.erase")
@bp.output({}, status_code=204)
def erase(incident: str, person: str) -> str:
    """Destroy one person's contact data for good."""
    if by_two():
        raise Refused(
            "Here a second person has to agree. Ask for it at …/erasures, and have somebody else agree there."
        )
    erasing.erase_person(incident, person, folder=folder(), actor=actor(), now=now())
    return ""


def _person(one: people.Shown) -> dict[str, Any]:
    plain = one.plain
    return {
        "ref": one.ref,
        "number": one.number,
        "state": one.state,
        "wave": one.wave,
        "version": one.version,
        "place": plain.place,
        "language": plain.language,
        "exposed": plain.exposed.split(),
        "age": plain.age,
        "represented": plain.represented,
        "reached_by": [word for word, way in REACHED.items() if one.is_reached_by(way)],
        "doubts": plain.doubts.split(),
        "masked": one.masked,
    }
