"""Who may start what was approved: where it is set so, a third person beside those who wrote and those who approved."""

from incident.domain import separation as rules
from incident.store import separation
from incident.store.notices import Notice, NoticeVersion


def demand_releaser(actor: str, notice: Notice, version: NoticeVersion) -> None:
    """Raises Refused where the policy in force wants somebody else to start this version."""
    rules.demand_releaser(
        separation.policy(),
        actor,
        drafter=notice.drafter,
        editors=[*notice.editors, *version.editors],
        submitter=version.submitted_by,
        approver=version.decided_by or "",
    )
