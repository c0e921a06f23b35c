"""An installation served by this process itself, with somebody signed in: for journeys that look at single pages."""

import threading
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext
from waitress.server import create_server

from incident import clock, start
from incident.settings import Settings
from tests.builders import a_session, a_user
from tests.journeys.installation import free_port


class Served:
    """A served installation, and the cookie of one person with these roles."""

    def __init__(self, folder: Path, *roles: str, zone: str = "UTC") -> None:
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        self.app = start.prepare(Settings(instance=folder, port=port, test_mode=True))
        with self.app.app_context():
            cookie = {"sid": a_session(a_user(*roles, zone=zone)), "seen": int(clock.now().timestamp())}
        with self.app.test_request_context():
            signer = self.app.session_interface.get_signing_serializer(self.app)  # type: ignore[attr-defined]
            self.signed = signer.dumps(cookie)
        self.server = create_server(self.app, host="127.0.0.1", port=port)
        threading.Thread(target=self.server.run, daemon=True).start()

    def enter(self, browser: Browser, *, script: bool = True, width: int = 1440) -> BrowserContext:
        """A window of that person."""
        context = browser.new_context(viewport={"width": width, "height": 900}, java_script_enabled=script)
        name = self.app.config["SESSION_COOKIE_NAME"]
        context.add_cookies([{"name": name, "value": self.signed, "domain": "127.0.0.1", "path": "/"}])
        context.set_default_timeout(15_000)
        return context
