"""`tocsin routes`: every address with its methods, its permit, and the roles that hold it. Needs no installation."""

import json
from pathlib import Path
from tempfile import TemporaryDirectory

import click
from apiflask import APIFlask

from incident import parts, start
from incident.domain.access import MEMBER, OWN, PERMITS, PUBLIC, SIGNED
from incident.settings import Settings
from incident.store import keys

MEANING = {
    PUBLIC: "anyone",
    SIGNED: "whoever can sign as the provider",
    OWN: "whoever gave their password",
    MEMBER: "whoever signed in with both factors",
}


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Answer as JSON.")
def routes(as_json: bool) -> None:
    """List every route with its methods and its permit."""
    with TemporaryDirectory() as folder:
        found = table(_bare_app(Path(folder)))
    if as_json:
        click.echo(json.dumps(found, indent=1))
        return
    for row in found:
        click.echo(f"{' '.join(row['methods']):8} {row['path']:72} {row['permit']:20} {row['who']}")


def table(app: APIFlask) -> list[dict[str, str | list[str]]]:
    """The routes by path: methods, permit, and who holds it."""
    rules = sorted(app.url_map.iter_rules(), key=lambda rule: (rule.rule, sorted(rule.methods or ())))
    return [_row(app, rule.rule, rule.endpoint, rule.methods or set()) for rule in rules]


def _row(app: APIFlask, path: str, endpoint: str, methods: set[str]) -> dict[str, str | list[str]]:
    permit = parts.load(parts.PERMITS).permit_of(app, endpoint) or "closed"
    who = MEANING.get(permit) or ", ".join(sorted(PERMITS[permit]))
    return {
        "path": path,
        "methods": sorted(methods - {"HEAD", "OPTIONS"}),
        "permit": permit,
        "who": who,
        "endpoint": endpoint,
    }


def _bare_app(folder: Path) -> APIFlask:
    settings = Settings(instance=folder, database_url=f"sqlite:///{folder / 'none.db'}")
    start.make_folders(settings)
    keys.open_or_create(settings.instance / "keys", database_exists=False)
    app: APIFlask = parts.load(parts.PAGES).create_app(settings)
    return app
