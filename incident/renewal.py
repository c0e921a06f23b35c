"""Channels speak in the organisation's name. Once a page says another, they are opened anew, without a start of the program."""

from threading import Lock
from typing import Any, Final

import structlog
from flask import Flask, request

from incident import clock
from incident.actions import particulars
from incident.settings import Settings
from notifiers import registry
from notifiers.contract import Channels, Misconfigured

log = structlog.get_logger()

SPOKEN: Final = ("company_name", "contact_email", "contact_phone")
"""What providers say of the organisation: who writes or calls, where answers go, and whom to call back."""
LOOK_EVERY: Final = 1.0
"""Seconds after which another process notices."""


class Renewal:
    """What the channels of one process were opened with."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self._opened: Channels = app.extensions["channels"]
        self._with: dict[str, str] = {}
        self._looked = 0.0
        self._one = Lock()

    def look(self) -> None:
        """Open the channels anew where a page says something else by now; the database is asked once a second at most."""
        if clock.monotonic() - self._looked >= LOOK_EVERY:
            self.now()

    def now(self) -> None:
        """The same at once. Channels that somebody else put there stay."""
        self._looked = clock.monotonic()
        settings: Settings = self.app.extensions["settings"]
        said = {name: words for name, words in particulars.said(settings).items() if name in SPOKEN}
        with self._one:
            if said == self._with or self.app.extensions["channels"] is not self._opened:
                return
            self._with = said
            given: Any = settings.model_copy(update=said)
            try:
                self._opened = self.app.extensions["channels"] = registry.channels(given)
            except Misconfigured as mistake:
                log.error("channels.not_opened_anew", sentence=str(mistake))


def follow(app: Flask) -> None:
    """Have this application's channels follow what a page says: before whatever may send something, by a page or as work."""
    renewal = app.extensions["renewal"] = Renewal(app)

    def look() -> None:
        if request.method not in {"GET", "HEAD", "OPTIONS"}:
            renewal.look()

    app.before_request(look)
