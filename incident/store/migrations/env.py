"""Runs the migrations against the application's database."""

from typing import Any

from alembic import context
from flask import current_app

from incident.store.db import db


def run() -> None:
    """Migrates over the application's own engine; SQLite alters tables by copying them."""

    def skip_empty(_context: Any, _revision: Any, directives: list[Any]) -> None:
        if getattr(context.config.cmd_opts, "autogenerate", False) and directives[0].upgrade_ops.is_empty():
            directives[:] = []

    engine = current_app.extensions["migrate"].db.engine
    with engine.connect() as plain:
        connection = plain.execution_options(tocsin_write=True)
        context.configure(
            connection=connection,
            target_metadata=db.metadata,
            render_as_batch=True,
            compare_type=True,
            process_revision_directives=skip_empty,
        )
        with context.begin_transaction():
            context.run_migrations()


run()
