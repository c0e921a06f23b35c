"""How ready the installation is, for programs that watch it."""

from datetime import date
from typing import Any, Literal

from apiflask import APIBlueprint
from pydantic import BaseModel, Field

from incident.web.access import permit
from incident.web.readiness import judged

bp = APIBlueprint("api_readiness", __name__, url_prefix="/api/v1/readiness", tag="Readiness")


class CheckOut(BaseModel):
    word: str = Field(description="Which check, as `backup` or `deputy.lead`; stays the same.")
    title: str
    verdict: Literal["fails", "look", "ready"]
    says: str
    do: str


class ReadinessOut(BaseModel):
    checks: list[CheckOut]
    next_drill: date = Field(description="By when the yearly drill is due.")


@bp.get("/")
@permit("readiness.view")
@bp.output(ReadinessOut)
def show() -> dict[str, Any]:
    """What would fail on the day, worst first."""
    found = judged()
    return {
        "checks": [
            {"word": one.word, "title": one.title, "verdict": one.verdict.value, "says": one.says, "do": one.do}
            for one in found.checks
        ],
        "next_drill": found.next_drill,
    }
