"""The register of vulnerabilities, and which incidents each has to do with. What is written about one is sealed."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Float, ForeignKey, Index, LargeBinary, Select, String, case, select
from sqlalchemy.orm import Mapped, mapped_column

from incident.domain.vulnerabilities import LEVELS, Described, Exploited, State
from incident.store import sealed
from incident.store.db import BigInt, Model, UTCDateTime, db
from incident.store.incidents import Incident


class Vulnerability(Model):
    """One weakness. `sealed` holds the details under the key of the house; the title should not help an attacker."""

    __tablename__ = "vulnerability"
    __table_args__ = (Index("ix_vulnerability_state", "state", "id"),)

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    ref: Mapped[str] = mapped_column(String(20), unique=True)
    title: Mapped[str] = mapped_column(String(200))
    product: Mapped[str] = mapped_column(String(200), default="")
    cve: Mapped[str] = mapped_column(String(30), default="")
    state: Mapped[str] = mapped_column(String(10))
    exploited: Mapped[str] = mapped_column(String(8))
    vector3: Mapped[str] = mapped_column(String(300), default="")
    score3: Mapped[float | None] = mapped_column(Float)
    vector4: Mapped[str] = mapped_column(String(300), default="")
    score4: Mapped[float | None] = mapped_column(Float)
    level: Mapped[str] = mapped_column(String(10), default="")
    reported_at: Mapped[datetime] = mapped_column(UTCDateTime)
    exploited_known_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    fix_available_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    disclosed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    made_at: Mapped[datetime] = mapped_column(UTCDateTime)
    made_by: Mapped[str] = mapped_column(String(20))
    changed_at: Mapped[datetime] = mapped_column(UTCDateTime)

    def described(self, details: str = "") -> Described:
        """What is said of it, with these details."""
        return Described(
            self.title, self.product, self.cve, State(self.state), Exploited(self.exploited), self.reported_at,
            self.exploited_known_at, self.fix_available_at, self.disclosed_at, details,
        )  # fmt: skip


class VulnerabilityLink(Model):
    """That an incident has to do with a vulnerability."""

    __tablename__ = "vulnerability_link"
    __table_args__ = (Index("ix_vulnerability_link_incident", "incident_id"),)

    vulnerability_id: Mapped[int] = mapped_column(
        BigInt, ForeignKey("vulnerability.id"), primary_key=True, autoincrement=False
    )
    incident_id: Mapped[int] = mapped_column(BigInt, ForeignKey("incident.id"), primary_key=True, autoincrement=False)
    linked_at: Mapped[datetime] = mapped_column(UTCDateTime)
    linked_by: Mapped[str] = mapped_column(String(20))


class VulnerabilityTip(Model):
    """That somebody reported a vulnerability to us."""

    __tablename__ = "vulnerability_tip"
    __table_args__ = (Index("ix_vulnerability_tip_tip", "tip_id"),)

    vulnerability_id: Mapped[int] = mapped_column(
        BigInt, ForeignKey("vulnerability.id"), primary_key=True, autoincrement=False
    )
    tip_id: Mapped[int] = mapped_column(BigInt, ForeignKey("tip.id"), primary_key=True, autoincrement=False)
    linked_at: Mapped[datetime] = mapped_column(UTCDateTime)
    linked_by: Mapped[str] = mapped_column(String(20))


def by_ref(ref: str, *, locked: bool = False) -> Vulnerability | None:
    """One vulnerability; `locked` holds its row until the transaction ends."""
    query = select(Vulnerability).where(Vulnerability.ref == ref)
    return db.session.scalar(query.with_for_update().execution_options(populate_existing=True) if locked else query)


def page(
    *, state: str = "", exploited: str = "", before: int | None = None, limit: int = 50
) -> Sequence[Vulnerability]:
    """Newest first, by key; of one state or one word on exploitation where asked."""
    query = select(Vulnerability)
    if state:
        query = query.where(Vulnerability.state == state)
    if exploited:
        query = query.where(Vulnerability.exploited == exploited)
    if before is not None:
        query = query.where(Vulnerability.id < before)
    return db.session.scalars(query.order_by(Vulnerability.id.desc()).limit(limit)).all()


def keep_details(row: Vulnerability, details: str) -> None:
    """Seal what is written about it, to its row."""
    row.sealed = sealed.seal(None, f"vulnerability.sealed:{row.ref}", details.encode())


def details(row: Vulnerability) -> str:
    """What is written about it."""
    return sealed.unseal(None, f"vulnerability.sealed:{row.ref}", row.sealed).decode()


def link(row: Vulnerability, incident: Incident, *, actor: str, now: datetime) -> bool:
    """Say that the incident has to do with it; whether that is new."""
    if db.session.get(VulnerabilityLink, (row.id, incident.id)):
        return False
    made = VulnerabilityLink(vulnerability_id=row.id, incident_id=incident.id, linked_at=now, linked_by=actor)
    db.session.add(made)
    return True


def unlink(row: Vulnerability, incident: Incident) -> bool:
    """Take that back; whether it stood."""
    found = db.session.get(VulnerabilityLink, (row.id, incident.id))
    if found is None:
        return False
    db.session.delete(found)
    return True


def named(ref: str, seen: Select[Any]) -> Sequence[Incident]:
    """The incident of this reference, if it is among `seen`."""
    return db.session.scalars(seen.where(Incident.ref == ref)).all()


def incidents(row: Vulnerability, seen: Select[Any]) -> Sequence[Incident]:
    """The incidents it has to do with, as far as they are among `seen`, newest first."""
    ours = select(VulnerabilityLink.incident_id).where(VulnerabilityLink.vulnerability_id == row.id)
    return db.session.scalars(seen.where(Incident.id.in_(ours)).order_by(Incident.id.desc())).all()


def of_incident(incident_id: int) -> Sequence[Vulnerability]:
    """The vulnerabilities an incident has to do with, gravest first."""
    ours = select(VulnerabilityLink.vulnerability_id).where(VulnerabilityLink.incident_id == incident_id)
    grave = case({level: place for place, level in enumerate(LEVELS)}, value=Vulnerability.level)
    return db.session.scalars(select(Vulnerability).where(Vulnerability.id.in_(ours)).order_by(grave)).all()


def link_tip(row: Vulnerability, tip_id: int, *, actor: str, now: datetime) -> bool:
    """Say that this report from outside tells of it; whether that is new."""
    if db.session.get(VulnerabilityTip, (row.id, tip_id)):
        return False
    db.session.add(VulnerabilityTip(vulnerability_id=row.id, tip_id=tip_id, linked_at=now, linked_by=actor))
    return True


def of_tip(tip_id: int) -> Sequence[Vulnerability]:
    """The vulnerabilities that a report from outside tells of, oldest first."""
    ours = select(VulnerabilityTip.vulnerability_id).where(VulnerabilityTip.tip_id == tip_id)
    return db.session.scalars(select(Vulnerability).where(Vulnerability.id.in_(ours)).order_by(Vulnerability.id)).all()


def tip_ids(row: Vulnerability) -> Select[Any]:
    """A query of the numbers of the reports from outside that tell of it."""
    return select(VulnerabilityTip.tip_id).where(VulnerabilityTip.vulnerability_id == row.id)
