"""A draft as it would stand, and a notice in its languages, for programs: the same actions as the pages."""

from dataclasses import asdict
from datetime import datetime
from typing import Any

from apiflask import APIBlueprint
from flask import g
from pydantic import BaseModel, Field

from incident.actions import notices as drafts
from incident.actions import translating, weighing
from incident.api.incidents import Strict
from incident.api.notice_models import ChangeIn, CiteOut
from incident.api.notices import change_of
from incident.domain import musts, sizes
from incident.domain.errors import Missing
from incident.store import notices as rows
from incident.store.notices import Notice
from incident.web.access import actor, now, permit
from incident.web.notice_pages import house

bp = APIBlueprint(
    "api_notice_languages", __name__, url_prefix="/api/v1/incidents/<incident>/notices/<ref>", tag="Notices"
)


class NeedOut(BaseModel):
    element: str
    words: str
    met: bool
    missing_in: list[str]
    cites: list[CiteOut] = Field(description="The laws that want it; none where every notice says it.")


class HurdleOut(BaseModel):
    where: str
    sentence: str
    language: str
    cites: list[CiteOut]


class SizeOut(BaseModel):
    language: str
    words: int
    letters: int
    measure: str = Field(description="grade: school grade; ease: 0 hard to 100 easy; letters: letters a sentence.")
    level: int | None
    plain: bool | None
    segments: int = Field(description="Of the text message.")


class WeighedOut(BaseModel):
    needs: list[NeedOut]
    hurdles: list[HurdleOut] = Field(description="What keeps it from being submitted.")
    warnings: list[HurdleOut]
    sizes: list[SizeOut]


class PartOut(BaseModel):
    part: str
    rows: list[tuple[str, str]] = Field(description="Paragraphs of the source, each with its translation.")
    missing: bool
    stale: bool = Field(description="The source changed since the translation was made over it.")
    uneven: bool
    fields: list[str] = Field(description="Fields that only one of the two fills.")


class TongueOut(BaseModel):
    language: str
    is_source: bool
    draft: bool = Field(description="Shipped words that nobody here who reads the language has confirmed.")
    read_by: str
    read_at: datetime | None
    digest: str = Field(description="Of source and text as they are; confirm with it.")
    parts: list[PartOut]


class TonguesOut(BaseModel):
    languages: list[TongueOut]


class SeenIn(Strict):
    digest: str = Field(max_length=64)


@bp.post("/weigh")
@permit("notice.draft")
@bp.input(ChangeIn, arg_name="given")
@bp.output(WeighedOut)
def weigh(incident: str, ref: str, given: ChangeIn) -> dict[str, Any]:
    """What would be missing if the draft were changed so. Keeps nothing."""
    notice = _notice(ref)
    change = change_of(notice, given)
    wrote = weighing.typed(notice, change.texts, change.languages, change.channels, change.audience)
    found = drafts.standing(g.incident, notice, house=house(), now=now(), wrote=wrote)
    return {
        "needs": [asdict(need) | {"met": need.met} for need in musts.needs(found.duties, found.texts)],
        "hurdles": [asdict(one) for one in found.hurdles],
        "warnings": [asdict(one) for one in found.warnings],
        "sizes": [
            asdict(one.reading) | {"language": one.language, "segments": one.sms.segments}
            for one in sizes.of(found.texts, found.values)
        ],
    }


@bp.get("/languages")
@permit("notice.view")
@bp.output(TonguesOut)
def languages(incident: str, ref: str) -> dict[str, Any]:
    """Each language beside the source, with what is missing, stale or uneven."""
    notice = _notice(ref)
    texts = {text.language: text for text in drafts.texts_of(notice)}
    source = texts[notice.languages[0]]
    return {
        "languages": [
            asdict(one)
            | {
                "digest": translating.shown(source, texts[one.language]),
                "parts": [asdict(part) | {"part": part.name} for part in translating.parts(notice, one.language)],
            }
            for one in translating.tongues(notice)
        ]
    }


@bp.post("/languages/<language>")
@permit("notice.draft")
@bp.input(SeenIn, arg_name="given")
@bp.output({}, status_code=204)
def confirm(incident: str, ref: str, language: str, given: SeenIn) -> str:
    """Say that one reads this language, and that the text says what it should."""
    translating.confirm(incident, ref, language, seen=given.digest, actor=actor(), now=now())
    return ""


def _notice(ref: str) -> Notice:
    notice = rows.by_ref(g.incident.id, ref)
    if notice is None:
        raise Missing()
    return notice
