"""What a form was made over: a mark that goes with it, so that a page that is out of date changes nothing."""

from flask import Flask, request

from incident.domain.stale import seen_mark


def init(app: Flask) -> None:
    """Lets templates write the mark of what they show: `<input type="hidden" name="seen" value="{{ seen_mark(…) }}">`."""
    app.jinja_env.globals["seen_mark"] = seen_mark


def seen_of(key: str) -> dict[str, str]:
    """The mark of one fact that this form was made over, by its key; nothing where it carries none."""
    return {key: request.form["seen"]} if "seen" in request.form else {}
