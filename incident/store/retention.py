"""What has ended and is still kept: incidents with their keys, lists and printed letters with their files."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, TypeAlias

from sqlalchemy import Select, cast, select
from sqlalchemy import String as Words

from incident.domain import retention as rules
from incident.domain.imports import State as Standing
from incident.domain.letters import Stage
from incident.domain.retention import Going
from incident.store import tips
from incident.store.db import db
from incident.store.erasures import held
from incident.store.imports import PersonImport
from incident.store.incidents import Incident
from incident.store.letters import LetterBatch
from incident.store.sealed import DataKey

Asked: TypeAlias = Select[str, int, str, datetime | None]
"""A query of what ended: its reference, its incident by number and reference, when."""
KINDS = {"incident": ("incident", "near_miss"), "drill": ("drill",)}


def ended(rule: str, days: int, *, of: Select[Any] | None, limit: int) -> list[Going]:
    """What this rule will take, the first `limit` by when they ended; of these incidents (a query of ids) alone."""
    if rule == "tip":
        return [] if of is not None else _tips(days, limit)
    query = _incidents(KINDS[rule]) if rule in KINDS else _lists() if rule == "list" else _letters()
    if of is not None:
        query = query.where(Incident.id.in_(of))
    found = db.session.execute(query.limit(limit)).all()
    stopped = held({row[1] for row in found})
    return [
        Going(rule, ref, incident, at, rules.goes_at(at, days), number in stopped)
        for ref, number, incident, at in found
        if at is not None
    ]


def _tips(days: int, limit: int) -> list[Going]:
    """Those that belong to no incident; the others go with theirs."""
    found = [(tip.ref, tip.settled_at) for tip in tips.ended(limit=limit)]
    return [Going("tip", ref, "", at, rules.goes_at(at, days)) for ref, at in found if at is not None]


def _incidents(kinds: Sequence[str]) -> Asked:
    """Closed ones whose key was not destroyed."""
    query = select(Incident.ref, Incident.id, Incident.ref, Incident.closed_at)
    query = query.join(DataKey, DataKey.owner == Incident.id).where(DataKey.sealing.is_not(None))
    return query.where(Incident.state == "closed", Incident.kind.in_(kinds)).order_by(Incident.closed_at, Incident.id)


def _lists() -> Asked:
    query = select(PersonImport.ref, Incident.id, Incident.ref, PersonImport.ended_at)
    query = query.join(Incident, Incident.id == PersonImport.incident_id).where(PersonImport.stored_as != "")
    done = PersonImport.state.in_((Standing.DONE, Standing.FAILED)), PersonImport.ended_at.is_not(None)
    return query.where(*done).order_by(PersonImport.ended_at, PersonImport.id)


def _letters() -> Asked:
    query = select(LetterBatch.ref, Incident.id, Incident.ref, LetterBatch.ended_at)
    query = query.join(Incident, Incident.id == LetterBatch.incident_id)
    files = cast(LetterBatch.files, Words)
    ended_ = LetterBatch.stage.in_((Stage.POSTED, Stage.DROPPED)), LetterBatch.ended_at.is_not(None)
    kept = files != "[]", files.not_like('%"stored_as": ""%')
    return query.where(*kept, *ended_).order_by(LetterBatch.ended_at, LetterBatch.id)


def files_of(rule: str, ref: str) -> Any:
    """The list or batch of letters whose files are to go, held until the transaction ends."""
    table = PersonImport if rule == "list" else LetterBatch
    return db.session.scalar(select(table).where(table.ref == ref).with_for_update())
