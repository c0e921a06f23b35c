"""Puts the pages and the API on the application (`core.py`): the only place that sees every room."""

from collections.abc import Callable
from threading import Lock
from weakref import WeakSet

from apiflask import APIFlask
from flask import Blueprint
from flask_bootstrap import Bootstrap5
from flask_wtf import CSRFProtect

from incident import core, journal, schema
from incident import settings as configuration
from incident.api import account as api_account
from incident.api import administration as api_administration
from incident.api import asks as api_asks
from incident.api import audit as api_audit
from incident.api import boards as api_boards
from incident.api import bundles as api_bundles
from incident.api import calls as api_calls
from incident.api import closing as api_closing
from incident.api import deliveries as api_deliveries
from incident.api import drills as api_drills
from incident.api import enquiries as api_enquiries
from incident.api import erasures as api_erasures
from incident.api import freezing as api_freezing
from incident.api import grades as api_grades
from incident.api import imports as api_imports
from incident.api import improvements as api_improvements
from incident.api import incidents as api_incidents
from incident.api import incoming_alerts as api_incoming_alerts
from incident.api import law_updates as api_law_updates
from incident.api import laws as api_laws
from incident.api import lessons as api_lessons
from incident.api import letters as api_letters
from incident.api import lookups as api_lookups
from incident.api import measures as api_measures
from incident.api import members as api_members
from incident.api import notice_languages as api_notice_languages
from incident.api import notice_proofs as api_notice_proofs
from incident.api import notices as api_notices
from incident.api import obligations as api_obligations
from incident.api import particulars as api_particulars
from incident.api import people as api_people
from incident.api import plans as api_plans
from incident.api import preflights as api_preflights
from incident.api import privilege as api_privilege
from incident.api import public_tasks as api_public_tasks
from incident.api import reach as api_reach
from incident.api import readiness as api_readiness
from incident.api import record_keys as api_record_keys
from incident.api import reference, repeats, scheme
from incident.api import remedies as api_remedies
from incident.api import reminders as api_reminders
from incident.api import reports as api_reports
from incident.api import reviews as api_reviews
from incident.api import rolls as api_rolls
from incident.api import rules as api_rules
from incident.api import saved_filters as api_saved_filters
from incident.api import search as api_search
from incident.api import summaries as api_summaries
from incident.api import team as api_team
from incident.api import tips as api_tips
from incident.api import vulnerabilities as api_vulnerabilities
from incident.api import webhooks as api_webhooks
from incident.settings import Settings
from incident.web import (
    access,
    account,
    administration,
    alerts,
    announcements,
    answer_pages,
    answering,
    asks,
    attempts,
    audit,
    breaches,
    bundles,
    calls,
    channels,
    check,
    checkpoints,
    closing,
    delivery_lists,
    desk,
    desks,
    drill,
    drill_clock,
    drills,
    duties,
    enquiries,
    erasures,
    errors,
    evidence,
    feeds,
    filters,
    frame,
    grades,
    headers,
    health,
    hooks,
    imports,
    improvements,
    knowledge,
    languages,
    law_updates,
    laws,
    lessons,
    letters,
    lookups,
    marked,
    measures,
    members,
    newsrooms,
    notice_languages,
    notice_lists,
    notice_proofs,
    notices,
    obligations,
    once,
    pages,
    particulars,
    passkeys,
    people,
    plans,
    preflights,
    privilege,
    public,
    public_tasks,
    reach,
    readiness,
    record_keys,
    remedies,
    reminders,
    reports,
    retention,
    reviews,
    rolls,
    rules,
    saved_filters,
    search,
    shortfalls,
    sign_on,
    signin,
    summaries,
    team,
    tip_acts,
    tip_pages,
    unsent,
    vulnerabilities,
    webhooks,
    what_if,
)

WEB: tuple[Blueprint, ...] = (
    desk.bp,
    search.bp,
    pages.bp,
    saved_filters.bp,
    unsent.bp,
    audit.bp,
    audit.whole,
    checkpoints.bp,
    record_keys.bp,
    record_keys.cosigned,
    bundles.bp,
    notice_proofs.bp,
    health.bp,
    account.bp,
    reach.bp,
    feeds.bp,
    members.bp,
    privilege.bp,
    signin.bp,
    sign_on.bp,
    passkeys.bp,
    team.bp,
    rules.bp,
    alerts.bp,
    webhooks.bp,
    evidence.bp,  # incidents, with their list and their evidence
    knowledge.bp,
    reminders.bp,
    people.bp,
    imports.bp,
    grades.bp,
    obligations.bp,
    answering.bp,
    what_if.bp,
    laws.bp,
    law_updates.bp,
    law_updates.one,
    duties.bp,
    plans.bp,
    closing.bp,
    reviews.bp,
    improvements.bp,
    improvements.one,
    lessons.bp,
    lessons.proposing,
    erasures.bp,
    retention.bp,
    delivery_lists.bp,  # deliveries, with the lists behind their numbers
    desks.bp,
    attempts.bp,
    attempts.desk,
    lookups.bp,
    rolls.bp,
    letters.bp,
    calls.bp,
    channels.bp,
    enquiries.bp,
    enquiries.desk,
    shortfalls.bp,
    notices.bp,
    notice_languages.bp,
    notice_lists.desk,
    preflights.bp,
    remedies.bp,
    asks.bp,
    announcements.bp,
    public_tasks.bp,
    tip_acts.bp,  # what was reported to us, with what is done about it
    newsrooms.bp,
    newsrooms.one,
    public.bp,
    reports.bp,
    summaries.bp,
    measures.bp,
    readiness.bp,
    drills.bp,
    drill.bp,
    reference.bp,
    administration.bp,
    particulars.bp,
    vulnerabilities.bp,
)
OUTSIDE: tuple[Blueprint, ...] = (tip_pages.bp, check.bp, answer_pages.bp, breaches.bp)
"""Forms for strangers: no session stands behind them; the ticket that each carries is what other sites cannot have.
What browsers tell of broken policies changes nothing, and needs none."""
HOOKS: tuple[Blueprint, ...] = (hooks.bp,)
"""What providers call: no session, no form token; signatures alone open them."""
API: tuple[Blueprint, ...] = (
    api_audit.bp,
    api_audit.whole,
    api_record_keys.bp,
    api_bundles.bp,
    api_notice_proofs.bp,
    api_notice_languages.bp,
    api_account.bp,
    api_reach.bp,
    api_reach.targets,
    api_reminders.bp,
    api_remedies.bp,
    api_asks.bp,
    api_members.bp,
    api_privilege.bp,
    api_team.bp,
    api_webhooks.bp,
    api_tips.bp,
    api_rules.bp,
    api_rules.one,
    api_incidents.bp,
    api_people.bp,
    api_imports.bp,
    api_boards.bp,
    api_deliveries.bp,
    api_calls.bp,
    api_enquiries.bp,
    api_enquiries.whole,
    api_lookups.bp,
    api_rolls.bp,
    api_deliveries.box,
    api_freezing.bp,
    api_letters.bp,
    api_grades.bp,
    api_obligations.bp,
    api_laws.bp,
    api_law_updates.bp,
    api_law_updates.library,
    api_plans.bp,
    api_notices.bp,
    api_notices.whole,
    api_preflights.bp,
    api_public_tasks.bp,
    api_public_tasks.newsrooms,
    api_public_tasks.media,
    api_closing.bp,
    api_reviews.bp,
    api_improvements.bp,
    api_improvements.one,
    api_lessons.bp,
    api_lessons.proposing,
    api_erasures.bp,
    api_erasures.whole,
    api_reports.bp,
    api_reports.library,
    api_search.bp,
    api_saved_filters.bp,
    api_summaries.bp,
    api_measures.bp,
    api_readiness.bp,
    api_drills.bp,
    api_drills.one,
    api_administration.bp,
    api_particulars.bp,
    api_vulnerabilities.bp,
    api_incoming_alerts.bp,
)


STARTERS: tuple[Callable[[APIFlask], None], ...] = (
    marked.init,
    drill_clock.init,
    saved_filters.init,
    unsent.init,
    scheme.init,
    repeats.init,
)
"""What each room sets up once, in order."""


def create_app(settings: Settings | None = None) -> APIFlask:
    """The application for these settings, whole. Raises SettingsError; needs a database that `start.prepare` has made."""
    app = furnish(core.create(settings or configuration.load()))
    schema.make_ready(app)
    return app


_AT_IT = Lock()
_FURNISHED: WeakSet[APIFlask] = WeakSet()


def furnish(app: APIFlask) -> APIFlask:
    """The same application with its pages and its API; they are added once, whichever thread asks first."""
    with _AT_IT:
        if app not in _FURNISHED:
            _furnish(app)
            _FURNISHED.add(app)
    return app


def _furnish(app: APIFlask) -> None:
    Bootstrap5(app)
    for start in (
        journal.init,
        headers.init,
        languages.init,
        filters.init,
        access.init,
        *STARTERS,
        frame.init,
        errors.init,
    ):
        start(app)
    csrf = CSRFProtect(app)
    once.init(app)
    for blueprint in (*WEB, *OUTSIDE, *HOOKS, *API):
        app.register_blueprint(blueprint)
    for blueprint in (*OUTSIDE, *HOOKS, *API):
        csrf.exempt(blueprint)
    access.demand_permits(app)
