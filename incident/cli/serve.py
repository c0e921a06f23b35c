"""`tocsin run | web | worker | scheduler | work`: the server and the clock, together or apart."""

import signal
import sys
import threading
from collections.abc import Callable
from types import FrameType

import click
from apiflask import APIFlask
from waitress.server import create_server

from incident import journal, scheduler, settings, start, work

THREADS = 16


@click.command()
def run() -> None:
    """Web, clock and worker in one process; made ready at the first start."""
    app = _ready()
    waker = scheduler.Waker(app)
    _serve(app, before=waker.start, after=waker.stop)


@click.command()
def web() -> None:
    """The web server alone; run the scheduler beside it."""
    _serve(_ready())


@click.command(name="scheduler")
def scheduler_() -> None:
    """The clock and the work it wakes, without the web. One holds the lease and works; a second one waits for it."""
    _tick(scheduler.Waker(_ready()))


@click.command()
def worker() -> None:
    """Does due work beside a scheduler; claims in the database keep two of them apart."""
    _tick(scheduler.Waker(_ready(), alone=False))


@click.command(name="work")
@click.option("--once", is_flag=True, required=True, help="Do all work that is due now, then stop.")
def work_(once: bool) -> None:
    """Do the work that is due."""
    app = _ready()
    with app.app_context():
        click.echo(f"Done: {work.once()}.")


def _ready() -> APIFlask:
    configuration = settings.load()
    journal.begin(configuration.log_level)
    return start.prepare(configuration)


def _tick(waker: scheduler.Waker) -> None:
    waker.start()
    click.echo("Waiting for work. Stop with Ctrl-C.")
    _until_stopped()
    waker.stop()


def _serve(
    app: APIFlask, before: Callable[[], object] = lambda: None, after: Callable[[], object] = lambda: None
) -> None:
    """Serve until told to stop; requests under way are finished first."""
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
        sys.exit(2)
    threading.Thread(target=server.run, daemon=True).start()
    before()
    _greet(app)
    _until_stopped()
    server.close()
    after()
    server.task_dispatcher.shutdown()


def _greet(app: APIFlask) -> None:
    configuration: settings.Settings = app.extensions["settings"]
    click.echo(f"Tocsin is at {configuration.base_url}")
    with app.app_context():
        link = start.setup_link(app)
    if link:
        click.echo(
            f"Nobody has an account yet. Open this once, within 24 hours, to make the first administrator:\n  {link}"
        )


def _until_stopped() -> None:
    stop = threading.Event()

    def told(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, told)
    while not stop.wait(1):
        pass
