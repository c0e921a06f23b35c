"""Reports to authorities, for tests: an incident, a draft begun, saved and filed."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import text

from incident.actions import intake, reports
from incident.domain.dossier import Company
from incident.domain.reports import Typed
from incident.store import incidents
from incident.store import reports as rows
from incident.store.db import db
from incident.store.reports import Report

NOON = datetime(2026, 3, 6, 12, 0, tzinfo=UTC)
PARIS = ZoneInfo("Europe/Paris")
COMPANY = Company("Example Ltd", "Privacy team", "privacy@example.org", "+49 30 000", "1 Example Street")
KNOWN = {"what_happened": "A copy was taken.", "aware_at": "2026-03-06T09:00:00Z", "records_count": 100}


def an_incident(**facts: Any) -> str:
    return intake.log(
        kind="incident",
        title="Copied database",
        facts={**KNOWN, **facts},
        source="log analysis",
        confidence="high",
        actor="U-1",
        now=NOON,
    )


def begun(ref: str, form: str = "eu-gdpr-33", **given: Any) -> str:
    return reports.start(ref, form=form, zone=PARIS, actor="U-1", now=NOON, **given)


def found(ref: str, report: str) -> Report:
    incident = incidents.by_ref(ref)
    assert incident is not None
    row = rows.by_ref(incident.id, report)
    assert row is not None
    db.session.refresh(row)
    return row


def saved(ref: str, report: str, at: datetime = NOON, **typed: Typed) -> int:
    return reports.save(
        ref, report, version=found(ref, report).version, typed=typed, company=COMPANY, actor="U-1", now=at
    )


def filed(ref: str, report: str, at: datetime = NOON, **given: Any) -> Report:
    usual: dict[str, Any] = {"channel": "web_form", "missing_accepted": True, "filed_at": at}
    version = found(ref, report).version
    reports.file(
        ref, report, version=version, company=COMPANY, actor="U-1", now=at + timedelta(minutes=5), **{**usual, **given}
    )
    return found(ref, report)


def answer(report: Report, key: str) -> dict[str, Any]:
    return next(one for one in report.answers or [] if one["question"] == key)


def verbs() -> list[str]:
    return list(db.session.scalars(text("SELECT verb FROM audit_line ORDER BY seq")))
