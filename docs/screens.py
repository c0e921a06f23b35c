"""Takes the README's picture: the desk of a fresh installation with the sample incident and one more, in Chromium."""

import os
import sys
import tempfile
import threading
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from waitress.server import create_server  # noqa: E402

from incident import clock, start  # noqa: E402
from incident.cli.demo import load  # noqa: E402
from incident.settings import Settings  # noqa: E402
from tests.builders import a_session, a_user  # noqa: E402
from tests.journeys.browser import opened  # noqa: E402
from tests.journeys.installation import free_port  # noqa: E402


def main() -> None:
    """Write docs/desk.png."""
    port = free_port()
    app = start.prepare(Settings(instance=Path(tempfile.mkdtemp()), port=port, test_mode=True))
    with app.app_context():
        user = a_user("lead", "privacy", "responder", name="Lead on duty", zone="Europe/Berlin")
        cookie = {"sid": a_session(user), "seen": int(clock.now().timestamp())}
        load(clock.now())
    with app.test_request_context():
        signed = app.session_interface.get_signing_serializer(app).dumps(cookie)  # type: ignore[attr-defined]
    threading.Thread(target=create_server(app, host="127.0.0.1", port=port).run, daemon=True).start()
    with opened() as browser:
        page = browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
        name = app.config["SESSION_COOKIE_NAME"]
        page.context.add_cookies([{"name": name, "value": signed, "domain": "127.0.0.1", "path": "/"}])
        page.goto(f"http://127.0.0.1:{port}/")
        page.screenshot(path=ROOT / "docs" / "desk.png")
    os._exit(0)


if __name__ == "__main__":
    main()
