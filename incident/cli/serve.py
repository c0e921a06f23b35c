"""`tocsin run | web | worker | scheduler | work`: the server, the clock and the work, together or apart."""

import sys
import threading

import click
import structlog
from apiflask import APIFlask

from incident import clock, journal, scheduler, settings, start, watchdog, work
from incident import worker as workers
from incident.actions import checkpoints
from incident.cli import webserver
from incident.cli.signals import until_stopped, when_told
from incident.domain.lanes import Lane

log = structlog.get_logger()

SHARE = 0.0005  # seconds a thread may compute while others wait; with the usual 5 ms a page waits that long after each query


@click.command()
def run() -> None:
    """Web, clock and worker in one process; made ready at the first start."""
    app = _ready()
    waker = scheduler.Waker(app)
    when_told(sys.exit)  # until the pages are there
    waker.start()  # whoever waits to be told does not wait for them
    try:
        start.with_pages(app)
        _look_at_the_record(app)
    except BaseException:
        waker.stop()
        raise
    webserver.serve(app, waker)


@click.command()
def web() -> None:
    """The web server alone; run the scheduler beside it. On PostgreSQL with gunicorn in several processes."""
    app = start.with_pages(_ready())
    if webserver.several(app):
        webserver.serve_by_several(app)
    else:
        webserver.serve(app)


@click.command(name="scheduler")
def scheduler_() -> None:
    """The clock, without the web: hands due work to workers, and does it itself while there are none.

    One holds the lease and works; a second one waits for it.
    """
    app = _ready()
    workers.demand_right_time(app)
    _look_at_the_record(app)
    waker = scheduler.Waker(app)
    waker.start()
    click.echo("Waiting for work. Stop with Ctrl-C.")
    watchdog.say(watchdog.READY)
    until_stopped()
    waker.stop()


@click.command()
@click.option(
    "--lane",
    "lanes",
    type=click.Choice([lane.value for lane in Lane]),
    multiple=True,
    help="Do only this kind of work; may be given again. Without it: all.",
)
def worker(lanes: tuple[str, ...]) -> None:
    """Does what a scheduler hands over; as many as you like, on any machine. Needs PostgreSQL."""
    app = _ready()
    workers.demand_possible(app)
    click.echo("Waiting for work. Stop with Ctrl-C.")
    workers.Worker(app, [Lane(lane) for lane in lanes] or list(Lane)).run()


@click.command(name="work")
@click.option("--once", is_flag=True, required=True, help="Do all work that is due now, then stop.")
def work_(once: bool) -> None:
    """Do the work that is due. Exit code 1 when something of it could not be done."""
    app = _ready()
    when_told(lambda: _stop(app))
    with app.app_context():
        worked = work.once()
    click.echo(f"Done: {worked.done}.")
    if worked.failed:
        click.echo(
            f"Not done: {', '.join(sorted(worked.failed))}. The log says why; it is tried again next time.", err=True
        )
        sys.exit(1)


def _stop(app: APIFlask) -> None:
    with app.app_context():
        work.stop()


def _look_at_the_record(app: APIFlask) -> None:
    """Check what came since the newest checkpoint, beside everything else: nobody waits for it."""

    def look() -> None:
        try:
            with app.app_context():
                checkpoints.check(now=clock.now())
        except Exception:
            log.exception("record.not_checked")

    threading.Thread(target=look, name="record", daemon=True).start()


def _ready() -> APIFlask:
    sys.setswitchinterval(SHARE)
    configuration = settings.load()
    journal.begin(configuration.log_level)
    return start.without_pages(configuration)
