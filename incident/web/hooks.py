"""Where providers report: strip the call to a Callback, let the channel check its signature, hand on what it says."""

import structlog
from flask import Blueprint, Response, current_app, request
from flask.typing import ResponseReturnValue

from incident.actions import asks, enquiring, incoming_alerts, mail_in, reported, telling
from incident.actions.tips import OUTSIDE
from incident.domain.errors import Missing
from incident.domain.incoming_alerts import LARGEST as LARGEST_ALERT
from incident.settings import Settings
from incident.web.access import now, permit
from incident.web.errors import answer
from notifiers.contract import Callback, Channels, Conversation, Door, Forged, Inbound, Notifier

bp = Blueprint("hooks", __name__, url_prefix="/hooks")

log = structlog.get_logger()

LARGEST = 5 * 1024 * 1024  # bytes; providers send under one
LARGEST_ANSWER = 64 * 1024
LARGEST_MAIL = 40 * 1024 * 1024
"""Bytes; SendGrid takes e-mails of up to 30 MB, and says more about each."""
AT_ONCE = 1_000


@bp.post("/<provider>")
@permit("signed")
def report(provider: str) -> ResponseReturnValue:
    """Take in a provider's report; only its signature opens this door."""
    channels: Channels = current_app.extensions["channels"]
    notifier = channels.reporting(provider)
    if notifier is None:
        raise Missing()
    request.max_content_length = LARGEST
    callback = _callback()
    try:
        events = notifier.events(callback)
    except Forged as forged:
        log.warning("hook.forged", provider=provider, why=str(forged))
        return answer(403, "This report does not bear the provider's signature.")
    for start in range(0, len(events), AT_ONCE):
        reported.take_in(provider, notifier.channel, events[start : start + AT_ONCE], now=now())
    return _told(notifier, callback) or Response(status=204)


@bp.post("/mail/<provider>")
@permit("signed")
def mail(provider: str) -> ResponseReturnValue:
    """Take in an e-mail that a provider took for us; only its signature opens this door."""
    taker: Inbound | None = current_app.extensions["inbound"].get(provider)
    if taker is None:
        raise Missing()
    request.max_content_length = LARGEST_MAIL
    try:
        raw = taker.mail(_callback())
    except Forged as forged:
        log.warning("hook.forged", provider=provider, why=str(forged))
        return answer(403, "This post does not bear the provider's signature, or holds no e-mail.")
    settings: Settings = current_app.extensions["settings"]
    mail_in.take_in(raw, folder=settings.instance / "files", now=now(), terms=enquiring.terms(settings))
    return Response(status=204)


@bp.post("/alerts")
@permit("signed")
def alerts() -> ResponseReturnValue:
    """Take in an alert of another system of ours; only our common secret opens this door."""
    door: Door | None = current_app.extensions["alert_door"]
    if door is None:
        raise Missing()
    request.max_content_length = LARGEST_ALERT
    try:
        body = door.opened(_callback(), now())
    except Forged as forged:
        log.warning("hook.forged", provider="alerts", why=str(forged))
        return answer(403, "This alert is not signed by our common secret, or is not of now.")
    settings: Settings = current_app.extensions["settings"]
    taken = incoming_alerts.take_in(body, folder=settings.instance / "files", actor=OUTSIDE, now=now())
    return {"ref": taken.ref, "again": taken.again}, 200 if taken.again else 201


@bp.post("/asks")
@permit("signed")
def asked() -> ResponseReturnValue:
    """Take in what one of our own systems says became of an ask; only the secret of its endpoint opens this door."""
    request.max_content_length = LARGEST_ANSWER
    try:
        asks.answered(_callback(), current_app.extensions["door"], now=now())
    except Forged as forged:
        log.warning("hook.forged", provider="asks", why=str(forged))
        return answer(403, "This answer is not signed by the secret of the system that was asked, or is not of now.")
    return Response(status=204)


def _told(notifier: Notifier, callback: Callback) -> Response | None:
    """What the provider asks for in the middle of a call, once its signature was found good."""
    if not isinstance(notifier, Conversation):
        return None
    wanted = notifier.wants(callback)
    message = telling.message_for(wanted, notifier.channel, notifier.provider, now=now()) if wanted else None
    reply = notifier.reply(callback, message)
    return Response(reply.body, content_type=reply.content_type) if reply else None


def _callback() -> Callback:
    """The call under the public address that the provider was given, its body untouched."""
    settings: Settings = current_app.extensions["settings"]
    query = request.query_string.decode("ascii", "replace")
    url = f"{settings.base_url}{request.path}" + (f"?{query}" if query else "")
    return Callback(
        url, {name.lower(): value for name, value in request.headers.items()}, request.get_data(cache=False)
    )
