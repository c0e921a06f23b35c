"""Severity with its reasons: how bad for us, how bad for people, and where the law has a scale of its own."""

from incident.domain.cac import cac
from incident.domain.enisa import component, enisa
from incident.domain.notification import Notification, notification
from incident.domain.risk import suggested_risk

__all__ = ["Notification", "cac", "component", "enisa", "notification", "suggested_risk"]
