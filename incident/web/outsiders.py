"""What a stranger is told where something cannot be done: in their own language, in the frame of the public pages."""

from typing import Final

from flask import Response, request, url_for

from incident.domain import check_words
from incident.web.check_frame import page

REPORT: Final = "report"
ROOMS: Final = ("check", REPORT)
"""Where pages speak the languages of templates/messages: the first word of their addresses."""
SENTENCES: Final = {404: "missing", 413: "large", 429: "many", 500: "ours", 503: "ours"}


def asks() -> bool:
    """Whether this request is for one of their pages."""
    return _words()[0] in ROOMS


def refused(status: int) -> Response:
    """Why it could not be done, without a word about what is or is not here."""
    room, second, *_ = *_words(), ""
    speaks = second if room == REPORT and second in check_words.languages() else ""
    again = url_for("tip_pages.start") if room == REPORT else url_for("check.front")
    return page("refused", reason=SENTENCES.get(status, "again"), again=again, status=status, speaks=speaks)


def _words() -> list[str]:
    """The words of the address."""
    return request.path.lstrip("/").split("/")
