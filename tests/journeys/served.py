"""An installation served by this process itself, with somebody signed in: for journeys that look at single pages."""

import threading
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext
from waitress.server import create_server

from incident import clock, start
from incident.settings import Settings
from incident.store.db import db
from tests.builders import a_session, a_user
from tests.journeys.installation import free_port


class Served:
    """A served installation with these settings, and the cookie of one person with these roles."""

    def __init__(self, folder: Path, *roles: str, zone: str = "UTC", **settings: Any) -> None:
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        self.app = start.prepare(Settings(instance=folder, port=port, test_mode=True, **settings))
        self.signed = self.sign_in(*roles, zone=zone)
        self.server = create_server(self.app, host="127.0.0.1", port=port)
        threading.Thread(target=self.server.run, daemon=True).start()

    def sign_in(self, *roles: str, zone: str = "UTC", language: str = "en") -> str:
        """The cookie of one more person with these roles, who reads this language."""
        with self.app.app_context():
            person = a_user(*roles, zone=zone)
            person.language = language
            db.session.commit()
            cookie = {"sid": a_session(person), "seen": int(clock.now().timestamp())}
            db.session.remove()
        with self.app.test_request_context():
            signer = self.app.session_interface.get_signing_serializer(self.app)  # type: ignore[attr-defined]
            signed: str = signer.dumps(cookie)
        return signed

    def enter(
        self, browser: Browser, *, script: bool = True, width: int = 1440, signed: str = "", **look: Any
    ) -> BrowserContext:
        """A window of that person, or of the one with this cookie."""
        context = browser.new_context(viewport={"width": width, "height": 900}, java_script_enabled=script, **look)
        name = self.app.config["SESSION_COOKIE_NAME"]
        context.add_cookies([{"name": name, "value": signed or self.signed, "domain": "127.0.0.1", "path": "/"}])
        context.set_default_timeout(15_000)
        return context
