"""Who the organisation is, for programs: the same action as the page."""

from typing import Any

from apiflask import APIBlueprint
from flask import current_app
from pydantic import Field

from incident.actions import particulars as actions
from incident.api.incidents import Strict
from incident.domain.particulars import NAMES
from incident.web.access import actor, now, permit

bp = APIBlueprint("api_particulars", __name__, url_prefix="/api/v1/administration/organisation", tag="Administration")


class Particulars(Strict):
    company_name: str = ""
    company_places: str = Field("", description="Codes with commas, such as DE,US-CA.")
    company_kinds: str = Field("", description="Words of the fact `entity` with commas, such as nis2_important.")
    company_operator: str = Field("", description="In mainland China: general, cii or central_organ.")
    contact_name: str = ""
    contact_email: str = ""
    contact_phone: str = ""
    contact_address: str = ""
    time_zone: str = Field("", description="Such as Europe/Berlin; nothing: what the settings have.")


class ParticularsOut(Particulars):
    fixed: list[str] = Field(description="What environment or file say: it wins, and is not changed here.")


class Changed(Strict):
    changed: list[str]


@bp.get("")
@permit("administration.view")
@bp.output(ParticularsOut)
def show() -> dict[str, Any]:
    """What is said of the organisation."""
    settings = current_app.extensions["settings"]
    standing = actions.known(settings)
    return {name: getattr(standing, name) for name in NAMES} | {"fixed": sorted(actions.given(settings))}


@bp.patch("")
@permit("organisation.change")
@bp.input(Particulars, arg_name="given")
@bp.output(Changed)
def change(given: Particulars) -> dict[str, Any]:
    """Say who the organisation is. What is not named stays; nothing takes a value back. It counts at once, also in open incidents."""
    settings = current_app.extensions["settings"]
    wanted = given.model_dump(exclude_unset=True)
    changed = actions.change(wanted, settings=settings, actor=actor(), now=now())
    current_app.extensions["renewal"].now()
    return {"changed": changed}
