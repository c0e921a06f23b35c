"""Newer laws and suppositions, for programs: what would change, and taking it."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Literal

from apiflask import APIBlueprint
from flask import g
from pydantic import BaseModel, Field

from incident.actions import law_updates as actions
from incident.actions import what_if as suppositions
from incident.actions.law_updates import MOST_AT_ONCE, Proposed
from incident.actions.what_if import Beside
from incident.api.incidents import Strict
from incident.domain import editions
from incident.domain.errors import Missing
from incident.domain.facts import to_json
from incident.domain.settlements import Difference
from incident.store import law_editions
from incident.store import law_updates as rows
from incident.store.incidents import Incident
from incident.store.law_editions import LawEdition
from incident.web.access import actor, now, permit
from incident.web.incidents import visible

bp = APIBlueprint("api_law_update", __name__, url_prefix="/api/v1/incidents/<incident>", tag="Laws")
library = APIBlueprint("api_law_updates", __name__, url_prefix="/api/v1/laws", tag="Laws")

Word = Literal["owed", "open", "advised", "not_owed"]


class ChangesOut(BaseModel):
    owed: list[str] = Field(description="Duties that became owed, such as EU-GDPR/tell-authority.")
    opened: list[str] = Field(description="Duties that became open.")
    closed: list[str] = Field(description="Duties that are no longer open, and not owed.")
    lifted: list[str] = Field(description="Duties that are no longer owed.")
    moved: list[str] = Field(description="Duties that are due at another time.")
    words: str


class UpdateOut(BaseModel):
    incident: str
    title: str
    was: str = Field(description="Digest of the laws that the incident goes by.")
    library: str = Field(description="Digest of today's laws.")
    changes: ChangesOut
    seen: str = Field(description="Names this difference; give it to take the laws.")


class OneUpdate(BaseModel):
    update: UpdateOut | None = Field(description="Null where there is nothing to take.")


class UpdatesQuery(BaseModel):
    after: int = Field(0, ge=0, description="Go on after the incident with this number.")
    limit: int = Field(50, ge=1, le=MOST_AT_ONCE)


class UpdateList(BaseModel):
    updates: list[UpdateOut]
    after: int | None = Field(description="Give this as `after` for the next page; null at the end.")


class SeenIn(Strict):
    seen: str = Field(max_length=64)


class ChosenIn(Strict):
    incident: str = Field(max_length=20)
    seen: str = Field(max_length=64)


class ManyIn(Strict):
    incidents: list[ChosenIn] = Field(min_length=1, max_length=MOST_AT_ONCE)


class RefusedOut(BaseModel):
    incident: str
    detail: str


class ManyOut(BaseModel):
    taken: list[str]
    refused: list[RefusedOut]


class MistakeOut(BaseModel):
    path: str
    sentences: list[str]
    instead: str = Field(description="What is used instead.")


class EditionOut(BaseModel):
    version: str
    origin: Literal["shipped", "pack"]
    digest: str = Field(description="Over the library and the user's own files; findings are made by it.")
    library_digest: str = Field(description="Over the library alone; a pack is known by it.")
    shipped_version: str
    laws: int
    own: list[str]
    mistakes: list[MistakeOut]


class KeptOut(BaseModel):
    id: int
    digest: str
    version: str
    origin: Literal["shipped", "pack"]
    first_used_at: datetime
    files: dict[str, str] = Field(description="SHA-256 of each file, by its path.")


class KeptQuery(BaseModel):
    before: int | None = Field(None, ge=1, description="Go on with those older than the one with this id.")
    limit: int = Field(20, ge=1, le=MOST_AT_ONCE)


class KeptList(BaseModel):
    editions: list[KeptOut]
    before: int | None = Field(description="Give this as `before` for the next page; null at the end.")


class FileOut(BaseModel):
    path: str
    digest: str
    text: str


class SupposeIn(Strict):
    facts: dict[str, Any] = Field(min_length=1, description="Facts as for recording; null makes one unknown.")


class BesideOut(BaseModel):
    duty: str
    title: str
    to: str
    before: Word
    due_before: datetime | None
    after: Word
    due_after: datetime | None
    because: list[str]
    wants: list[str]
    clock_words: str


class WhatIfOut(BaseModel):
    facts: dict[str, Any]
    changes: ChangesOut
    duties: list[BesideOut]


@bp.post("/duties/what-if")
@permit("duty.view")
@bp.input(SupposeIn, arg_name="given")
@bp.output(WhatIfOut)
def what_if(incident: str, given: SupposeIn) -> dict[str, Any]:
    """What would change if these facts were so. Nothing is kept."""
    made = suppositions.what_if(g.incident.id, given.facts, now())
    return {
        "facts": {key: to_json(value) for key, value in made.facts.items()},
        "changes": _changes(made.changes),
        "duties": [_beside(one) for one in made.duties],
    }


def _beside(one: Beside) -> dict[str, Any]:
    (before, due_before), (after, due_after) = one.before, one.after
    return {
        **{name: getattr(one, name) for name in ("duty", "title", "to", "clock_words")},
        "before": before.value,
        "due_before": due_before,
        "after": after.value,
        "due_after": due_after,
        "because": list(one.because),
        "wants": list(one.wants),
    }


@bp.get("/law-update")
@permit("duty.view")
@bp.output(OneUpdate)
def show(incident: str) -> dict[str, Any]:
    """What today's laws would change for this incident, if somebody has still to take them."""
    made = actions.proposed(incident)
    return {"update": _update(made) if made else None}


@bp.post("/law-update/accept")
@permit("duty.decide")
@bp.input(SeenIn, arg_name="given")
@bp.output(ChangesOut)
def accept(incident: str, given: SeenIn) -> dict[str, Any]:
    """Take today's laws for this incident, if they change what you saw and nothing else."""
    return _changes(actions.accept(incident, given.seen, actor=actor(), now=now()))


@library.get("/updates")
@permit("duty.view")
@library.input(UpdatesQuery, location="query", arg_name="asked")
@library.output(UpdateList)
def updates(asked: UpdatesQuery) -> dict[str, Any]:
    """The open incidents that today's laws would change."""
    mine = visible().with_only_columns(Incident.id)
    query = rows.pending(editions.current().digest, mine)
    found = rows.page(query, after=asked.after, limit=asked.limit + 1)
    page = found[: asked.limit]
    made = [actions.told(row.ref, row.title, row[3].was, row[3].library, row[3].changes) for row in page]
    return {
        "updates": [_update(one) for one in made],
        "after": page[-1].id if len(found) > asked.limit else None,
    }


@library.post("/updates/accept")
@permit("duty.decide")
@library.input(ManyIn, arg_name="given")
@library.output(ManyOut)
def accept_many(given: ManyIn) -> dict[str, Any]:
    """Take today's laws for these incidents, each if they change what you saw of it; each refusal says why."""
    chosen = {one.incident: one.seen for one in given.incidents}
    mine = _mine(chosen)
    refused = dict.fromkeys(chosen.keys() - mine, "There is no such incident, or it is not yours to see.")
    refused |= actions.accept_many({ref: seen for ref, seen in chosen.items() if ref in mine}, actor=actor(), now=now())
    return {
        "taken": [ref for ref in chosen if ref not in refused],
        "refused": [{"incident": ref, "detail": refused[ref]} for ref in chosen if ref in refused],
    }


def _mine(refs: Iterable[str]) -> set[str]:
    return set(rows.refs(visible().where(Incident.ref.in_(list(refs))).with_only_columns(Incident.ref)))


@library.get("/edition")
@permit("duty.view")
@library.output(EditionOut)
def edition() -> dict[str, Any]:
    """Which laws this installation uses: version, digests, your own files, and mistakes in them."""
    made = editions.current()
    return {
        "version": made.version,
        "origin": made.origin.value,
        "digest": made.digest,
        "library_digest": made.library_digest,
        "shipped_version": editions.shipped_version(),
        "laws": len(made.book),
        "own": [law.id for law in made.book if law.own],
        "mistakes": [
            {"path": one.path, "sentences": list(one.sentences), "instead": one.instead} for one in made.mistakes
        ],
    }


@library.get("/editions")
@permit("duty.view")
@library.input(KeptQuery, location="query", arg_name="asked")
@library.output(KeptList)
def kept(asked: KeptQuery) -> dict[str, Any]:
    """Every edition of the laws that an incident was ever assessed by, newest first."""
    found = law_editions.newest_first(before=asked.before, limit=asked.limit + 1)
    page = found[: asked.limit]
    return {
        "editions": [_kept(row) for row in page],
        "before": page[-1].id if len(found) > asked.limit else None,
    }


def _kept(row: LawEdition) -> dict[str, Any]:
    stored = {name: getattr(row, name) for name in KeptOut.model_fields if name != "files"}
    lines = [line.split("  ", 1) for line in row.manifest.splitlines()]
    return {**stored, "files": {path: digest for digest, path in lines}}


@library.get("/files/<digest>")
@permit("duty.view")
@library.output(FileOut)
def file(digest: str) -> dict[str, Any]:
    """A law file word for word, by the digest that a finding names: also one that is long replaced."""
    held = law_editions.text(digest)
    if held is None:
        raise Missing()
    return {"path": held.path, "digest": digest, "text": held.data.decode("utf-8")}


def _update(made: Proposed) -> dict[str, Any]:
    stored = {name: getattr(made, name) for name in ("incident", "title", "was", "library", "seen")}
    return {**stored, "changes": _changes(made.changes)}


def _changes(made: Difference) -> dict[str, Any]:
    named = {word: list(getattr(made, word)) for word in ChangesOut.model_fields if word != "words"}
    return {**named, "words": made.words()}
