"""`tocsin grants ROLE`: bring the tables up to date as their owner, and give the application's account its rights."""

import click

from incident import clock, settings, start
from incident.actions import grants as actions


@click.command()
@click.argument("role")
def grants(role: str) -> None:
    """Give ROLE, an account of PostgreSQL that owns nothing, what the running application needs of each table.

    Run it with the owner's address in TOCSIN_DATABASE_URL, at the first start and after every upgrade, which it carries out.
    """
    app = start.without_pages(settings.load())
    with app.app_context():
        count = actions.give(role, actor="cli", now=clock.now())
    click.echo(f"{role} may read and add to {count} tables, change what may change, and nothing else.")
