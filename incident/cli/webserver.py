"""The web server: waitress in one process, or gunicorn with several where PostgreSQL carries them."""

import sys
import threading
from typing import Any

import click
from apiflask import APIFlask
from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser
from waitress.server import BaseWSGIServer, create_server
from waitress.task import ErrorTask, Task, WSGITask
from waitress.utilities import RequestEntityTooLarge

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
        server = listening(app)
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


class TooLarge(WSGITask):
    """A request whose content is beyond the limit and is not read: the application refuses it, in a page of its own."""

    def execute(self) -> None:
        """Answer, and close: what still comes is not waited for."""
        self.request.body_rcv = None
        self.set_close_on_finish()
        super().execute()

    def get_environment(self) -> dict[str, Any]:
        """The same request, said to be one byte too long: one that came in pieces had not said how long it is."""
        environment: dict[str, Any] = super().get_environment()
        environment.pop("HTTP_TRANSFER_ENCODING", None)
        return environment | {"CONTENT_LENGTH": str(self.channel.adj.max_request_body_size + 1)}


class Channel(HTTPChannel):
    """waitress's own, which answers three lines of plain text to a file that is too large."""

    def error_task_class(self, channel: HTTPChannel, request: HTTPRequestParser) -> Task:
        """What answers a request that waitress refuses."""
        is_too_large = isinstance(request.error, RequestEntityTooLarge)
        return (TooLarge if is_too_large else ErrorTask)(channel, request)


def listening(app: APIFlask) -> Any:
    """A server of this application that listens where the settings say. Raises OSError where it cannot."""
    configuration: settings.Settings = app.extensions["settings"]
    sockets: dict[int, Any] = {}
    server = create_server(
        app,
        map=sockets,
        host=configuration.host,
        port=configuration.port,
        threads=THREADS,
        ident=None,
        clear_untrusted_proxy_headers=True,
        max_request_body_size=app.config["MAX_CONTENT_LENGTH"],
    )
    for one in sockets.values():
        if isinstance(one, BaseWSGIServer):
            one.channel_class = Channel
    return server


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
