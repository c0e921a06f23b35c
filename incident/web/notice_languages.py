"""A notice in its languages, source and translation side by side, and the word of somebody who reads both."""

from collections.abc import Mapping

from flask import Blueprint, Response, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from incident.actions import notices as drafts
from incident.actions import translating
from incident.domain import musts, starters
from incident.domain.errors import Missing
from incident.domain.notices import Text
from incident.exports import csv
from incident.store import notices as rows
from incident.store import users
from incident.store.notices import Notice
from incident.web.access import actor, now, permit
from incident.web.incidents import csv_answer
from incident.web.languages import _, tongue

bp = Blueprint("notice_languages", __name__, url_prefix="/incidents/<incident>/notices/<ref>/languages")


@bp.get("/")
@permit("notice.view")
def show(incident: str, ref: str) -> str:
    """Source and one translation, paragraph beside paragraph, with what is missing, stale or uneven."""
    notice = _notice(ref)
    language = _chosen(notice)
    texts = _texts(notice)
    source = texts[notice.languages[0]]
    tongues = translating.tongues(notice)
    return render_template(
        "notices/languages.html",
        notice=notice,
        language=language,
        source=source.language,
        tongues=tongues,
        mine=next(one for one in tongues if one.language == language),
        parts=translating.parts(notice, language),
        places=musts.PLACES,
        named={tag: tongue(tag) for tag in notice.languages},
        words={tag: starters.words(tag) for tag in notice.languages},
        seen=translating.shown(source, texts[language]),
        names={key: user.name for key, user in users.by_refs({one.read_by for one in tongues if one.read_by}).items()},
    )


@bp.get("/languages.csv")
@permit("notice.view")
def table(incident: str, ref: str) -> Response:
    """The same as CSV: a line for each paragraph, for whoever translates elsewhere."""
    notice = _notice(ref)
    language = _chosen(notice)
    header = ("part", notice.languages[0], language, "missing", "stale", "fields that differ")
    lines = (
        (musts.PLACES[part.name], left, right, _yes(part.missing), _yes(part.stale), " ".join(part.fields))
        for part in translating.parts(notice, language)
        for left, right in part.rows
    )
    return csv_answer(csv.rows(header, lines), f"{ref}-{language}.csv")


@bp.post("/")
@permit("notice.draft")
def confirm(incident: str, ref: str) -> ResponseReturnValue:
    """Say that one reads this language, and that the text says what it should."""
    form = request.form
    language = form.get("language", "")
    translating.confirm(incident, ref, language, seen=form.get("digest", ""), actor=actor(), now=now())
    flash(_("Noted: you read this language, and its text says what it should."), "met")
    return redirect(url_for(".show", incident=incident, ref=ref, language=language))


def _chosen(notice: Notice) -> str:
    """The language that is asked for; the first translation where none is named, the source where there is none."""
    asked = request.args.get("language", "")
    return asked if asked in notice.languages else notice.languages[min(1, len(notice.languages) - 1)]


def _texts(notice: Notice) -> Mapping[str, Text]:
    return {text.language: text for text in drafts.texts_of(notice)}


def _notice(ref: str) -> Notice:
    notice = rows.by_ref(g.incident.id, ref)
    if notice is None:
        raise Missing()
    return notice


def _yes(part: bool) -> str:
    return "yes" if part else ""
