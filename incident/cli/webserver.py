"""The web server: waitress in one process, or gunicorn with several where PostgreSQL carries them."""

import sys
import threading
from typing import Any

import click
from apiflask import APIFlask
from waitress.server import create_server

from incident import settings, start, watchdog
from incident.cli.signals import until_stopped
from incident.scheduler import Waker
from incident.store.db import db

try:
    from gunicorn.app.base import BaseApplication
except ImportError:  # without the extra `scale`, or where there is no fork
    BaseApplication = object

THREADS = 16
LONGEST_SECONDS = 300
"""After so long without a sign, a process of the web server is replaced; a long download gives signs."""


def serve(app: APIFlask, waker: Waker | None = None) -> None:
    """Serve in this process until told to stop; requests under way are finished first, then what the clock began."""
    stop_clock = waker.stop if waker else lambda: None
    configuration: settings.Settings = app.extensions["settings"]
    try:
        server = create_server(
            app,
            host=configuration.host,
            port=configuration.port,
            threads=THREADS,
            ident=None,
            clear_untrusted_proxy_headers=True,
            max_request_body_size=app.config["MAX_CONTENT_LENGTH"],
        )
    except OSError as error:
        click.echo(
            f"TOCSIN_PORT: cannot listen on {configuration.host}:{configuration.port} ({error.strerror}). Choose another port.",
            err=True,
        )
        stop_clock()
        sys.exit(2)
    threading.Thread(target=server.run, daemon=True).start()
    greet(app)
    watchdog.say(watchdog.READY)
    until_stopped()
    server.close()
    stop_clock()
    server.task_dispatcher.shutdown()


def several(app: APIFlask) -> bool:
    """Whether the web can have several processes: they need PostgreSQL, and gunicorn."""
    with app.app_context():
        postgresql = db.engine.dialect.name == "postgresql"
    return postgresql and BaseApplication is not object


def serve_by_several(app: APIFlask) -> None:
    """Serve by several processes until told to stop; each finishes its requests first."""
    greet(app)
    with app.app_context():
        db.engine.dispose()  # no process may use a connection of another
    Server(app).run()


class Server(BaseApplication):
    """gunicorn over an application that is built already; its processes share the memory of what never changes."""

    def __init__(self, app: APIFlask) -> None:
        self.made = app
        super().__init__()

    def load_config(self) -> None:
        """From our settings alone: no file of gunicorn's is read."""
        configuration: settings.Settings = self.made.extensions["settings"]
        chosen: dict[str, Any] = {
            "bind": f"{configuration.host}:{configuration.port}",
            "workers": configuration.web_processes,
            "worker_class": "gthread",
            "threads": THREADS,
            "timeout": LONGEST_SECONDS,
            "graceful_timeout": 30,
            "preload_app": True,
            "forwarded_allow_ips": "",
            "proc_name": "tocsin web",
            "loglevel": "warning",
            "control_socket_disable": True,
        }
        for name, value in chosen.items():
            if name in self.cfg.settings:
                self.cfg.set(name, value)

    def load(self) -> APIFlask:
        """The application."""
        return self.made


def greet(app: APIFlask) -> None:
    """Say where it is, and while nobody has an account, how to make the first one."""
    configuration: settings.Settings = app.extensions["settings"]
    click.echo(f"Tocsin is at {configuration.base_url}")
    with app.app_context():
        link = start.setup_link(app)
    if link:
        click.echo(
            f"Nobody has an account yet. Open this once, within 24 hours, to make the first administrator:\n  {link}"
        )
