"""Asks our own public pages what they serve: inside this process, and at the address that everybody uses."""

from collections.abc import Callable
from functools import partial
from typing import Final, NamedTuple

import requests
from flask import Flask, current_app
from werkzeug.datastructures import Headers
from werkzeug.test import EnvironBuilder, run_wsgi_app

from incident import parts
from notifiers import wire

SECONDS: Final = 10.0
NAME: Final = "Tocsin posting check"

Visit = Callable[[str], tuple[int, bytes]]


class Visits(NamedTuple):
    """Two ways to ask for a path: its status (0: no answer came) and its body."""

    inside: Visit
    outside: Visit


def visits() -> Visits:
    """Return the ways to ask the public pages of this application."""
    app: Flask = parts.load(parts.PAGES).furnish(current_app._get_current_object())  # type: ignore[attr-defined]
    site: str = app.extensions["settings"].base_url
    return Visits(partial(_inside, app, site), partial(_outside, site))


def _inside(app: Flask, site: str, path: str) -> tuple[int, bytes]:
    """Through the whole application, as a stranger's request, in a context and a database session of its own."""
    environ = EnvironBuilder(path=path, base_url=site, headers=Headers({"User-Agent": NAME})).get_environ()
    with app.app_context():
        body, status, _ = run_wsgi_app(app, environ, buffered=True)
        return int(status.partition(" ")[0]), b"".join(body)


def _outside(site: str, path: str) -> tuple[int, bytes]:
    """Over the network, without following redirects and without a proxy from the environment."""
    through = wire.session(1)
    request = requests.Request("GET", f"{site}{path}", headers={"User-Agent": NAME}).prepare()
    try:
        status, _, body = wire.exchange(through, request, SECONDS)
    except wire.Redirected as elsewhere:
        return int(str(elsewhere) or 302), b""
    except (wire.Unreached, wire.Unanswered):
        return 0, b""
    finally:
        through.close()
    return status, body
