"""The application: knows every package; no package knows it."""

import hashlib
import logging
from pathlib import Path

import click
from argon2 import PasswordHasher
from flask import Flask, request, session, url_for
from flask_babel import Babel, get_locale
from flask_wtf import CSRFProtect
from werkzeug.middleware.proxy_fix import ProxyFix

from config import ROOT, Config
from outreach import db, deps, logs, sealing, tables, traces
from outreach.access_keys import views as access_keys
from outreach.accounts import access
from outreach.accounts import cli as accounts_cli
from outreach.accounts import region_views as regions
from outreach.accounts import security_views as security
from outreach.accounts import staff_views as staff
from outreach.accounts import views as accounts
from outreach.audit import cli as audit_cli
from outreach.brakes import access as brakes
from outreach.callers import views as callers
from outreach.calling_hours import views as calling_hours
from outreach.calls import queue_views as queues
from outreach.chart import views as chart
from outreach.clock import need_time_zones, utc_now
from outreach.concerns import call_views as safety
from outreach.concerns import rota_views as rota
from outreach.concerns import views as concerns
from outreach.deps import Deps
from outreach.exports import views as exports
from outreach.fhir import views as fhir
from outreach.goals import views as goals
from outreach.inbox import views as inbox
from outreach.inbox import webhooks as inbox_webhooks
from outreach.intake import cli as intake_cli
from outreach.intake import views as intake
from outreach.measures import labels as measure_labels
from outreach.messaging import cli as messaging_cli
from outreach.messaging import views as messaging
from outreach.messaging import webhooks as messaging_webhooks
from outreach.oversight import views as oversight
from outreach.panels import views as panels
from outreach.patient_list import cli as patient_list_cli
from outreach.patient_list import views as patient_list
from outreach.patients import views as patients
from outreach.phoning import views as phoning
from outreach.phoning import webhooks as phoning_webhooks
from outreach.planning import cli as planning_cli
from outreach.protocols import views as protocols
from outreach.pulse import views as pulse
from outreach.questionnaires import call_views as asking
from outreach.questionnaires import views as questionnaires
from outreach.reports import cli as reports_cli
from outreach.reports import list_views as report_lists
from outreach.reports import outcome_views as outcomes
from outreach.reports import views as reports
from outreach.results import views as results
from outreach.retention import views as retention
from outreach.searching import cli as searching_cli
from outreach.sent_again import one_at_a_time
from outreach.telephony.carrier import carrier_of
from outreach.typed import views as typed
from outreach.upkeep import cli as upkeep_cli
from outreach.upkeep import fitting, second_wall
from outreach.upkeep import views as upkeep
from outreach.web import (
    addresses,
    body_limits,
    bounded,
    by_address,
    compiled_templates,
    error_pages,
    field_attributes,
    field_words,
    headers,
    hosts,
    navigation,
    out_of_order,
    own_origin,
    rendering,
    request_ids,
    request_times,
    ringing,
    template_filters,
    traced,
    unstorable,
)
from outreach.web.same_page import same_page
from outreach.welfare import views as welfare
from outreach.wordings import views as wordings

# A signature or a key is the proof there.
WITHOUT_SESSION = (messaging_webhooks, phoning_webhooks, inbox_webhooks, fhir)
LOCALES = ("en",)  # more as their catalogues in translations/ are done
STATIC = Path(__file__).parent / "static"

csrf = CSRFProtect()


def create_app(outside: Deps | None = None) -> Flask:
    """Build the application; ``outside`` replaces clock, gateway and settings in tests."""
    is_real = outside is None
    if outside is None:
        need_time_zones()
        outside = _real_world(Config.from_environment())
    else:
        sealing.use(outside.config.data_keys, outside.config.encrypting_key)
    config = outside.config
    app = Flask("outreach", template_folder=ROOT / "templates", static_folder=STATIC)
    app.jinja_environment = rendering.Rendering
    app.config.from_mapping(
        SECRET_KEY=config.secret_key,
        MAX_CONTENT_LENGTH=config.upload_bytes,
        MAX_FORM_MEMORY_SIZE=bounded.LARGEST_FORM,
        SESSION_COOKIE_NAME="outreach" if config.is_loopback else "__Host-outreach",
        SESSION_COOKIE_SECURE=not config.is_loopback,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        WTF_CSRF_TIME_LIMIT=None,  # the session's own end is the limit
        BABEL_DEFAULT_LOCALE="en",
        BABEL_TRANSLATION_DIRECTORIES=str(Path(__file__).parent / "translations"),
    )
    _attach(app, outside)
    if is_real:
        app.jinja_env.bytecode_cache = compiled_templates.kept_in(config.compiled_templates)
    return app


def _real_world(config: Config) -> Deps:
    logs.begin("web", as_json=config.logs_are_json)
    if click.get_current_context(silent=True):  # commands that mend the keys have to begin
        sealing.ask_first(lambda: fitting.tell(config))
    else:
        fitting.begin(config)
        second_wall.begin(config)
        traces.begin("web", config.traces_url)
    return Deps(config, utc_now, carrier_of(config))


def _attach(app: Flask, outside: Deps) -> None:
    config = outside.config
    without_session = frozenset(each.bp.name for each in WITHOUT_SESSION)
    app.extensions["tables"] = tables.ALL
    app.url_map.converters["int"] = bounded.RowId
    traced.init_app(app, is_behind_proxy=config.trusted_proxies > 0)
    by_address.init_app(app, paths=upkeep.MONITORED, names=config.allowed_hosts)
    if config.trusted_proxies:
        count = config.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=count, x_proto=count, x_host=count)  # type: ignore[method-assign]
    logging.getLogger("outreach").setLevel(logging.INFO)
    request_ids.init_app(app, is_behind_proxy=config.trusted_proxies > 0)
    app.extensions["password_hasher"] = PasswordHasher()
    deps.init_app(app, outside)
    db.init_app(app, config.database_url, config.web_database_role)
    hosts.init_app(
        app,
        told=config.allowed_hosts,
        public_url=config.public_url,
        is_loopback=config.is_loopback,
        taken_by=without_session | {upkeep.bp.name},
    )
    body_limits.init_app(app, uploads_at="intake.upload")
    own_origin.init_app(
        app,
        public_url=config.public_url,
        taken_by=without_session,
    )
    csrf.init_app(app)
    access.init_app(app)
    brakes.init_app(app, config.rate_limits)
    Babel(app, locale_selector=_locale)
    app.add_template_global(get_locale, "get_locale")
    request_times.init_app(app)
    headers.init_app(app, is_loopback=config.is_loopback)
    error_pages.init_app(app)
    out_of_order.init_app(app)
    _versioned_assets(app)
    addresses.init_app(app)
    template_filters.init_app(app)
    ringing.init_app(app, is_trial=config.is_trial)
    field_attributes.use()
    field_words.use()
    app.add_template_global(same_page)
    app.add_template_filter(measure_labels.measure_name)
    app.add_template_filter(measure_labels.reading_words)
    app.add_template_filter(measure_labels.unit_name)
    app.context_processor(
        lambda: {
            "navigation": navigation,
            "now": outside.clock(),
            "is_trial": config.is_trial,
            "idle_minutes": config.idle_minutes,
        }
    )
    # A text from a patient is taken all the same: refused, it would be lost.
    unstorable.init_app(app, taken_by=inbox_webhooks.bp.name)
    app.before_request(_one_press_at_a_time)
    _register(app)


def _register(app: Flask) -> None:
    for pages in (
        accounts,
        security,
        staff,
        regions,
        access_keys,
        patients,
        panels,
        protocols,
        calling_hours,
        messaging,
        wordings,
        concerns,
        rota,
        safety,
        questionnaires,
        asking,
        goals,
        pulse,
        phoning,
        inbox,
        results,
        queues,
        callers,
        intake,
        patient_list,
        chart,
        welfare,
        reports,
        report_lists,
        upkeep,
        outcomes,
        oversight,
        retention,
        exports,
        typed,
    ):
        app.register_blueprint(pages.bp)
    for pages in WITHOUT_SESSION:
        app.register_blueprint(pages.bp)
        csrf.exempt(pages.bp)
    app.register_blueprint(outcomes.cohort_bp)
    app.register_blueprint(asking.nurse_bp)
    app.register_blueprint(results.due_pages)
    app.register_blueprint(results.measure_pages)
    app.register_blueprint(results.assessing_pages)
    for commands in (accounts_cli.clinics, accounts_cli.people, intake_cli.group):
        app.cli.add_command(commands)
    app.cli.add_command(planning_cli.group)
    app.cli.add_command(upkeep_cli.check)
    app.cli.add_command(upkeep_cli.database)
    app.cli.add_command(upkeep_cli.keys)
    app.cli.add_command(audit_cli.group)
    app.cli.add_command(messaging_cli.group)
    app.cli.add_command(searching_cli.group)
    app.cli.add_command(patient_list_cli.group)
    app.cli.add_command(reports_cli.group)
    access.open_to_all(app.view_functions["static"])


def _one_press_at_a_time() -> None:
    """Let the second of two presses at the same moment see all that the first did.

    Before anything is read, since what was read before the wait is of before the first.
    """
    browser = session.get("_user_id") or access.halfway_token()
    if browser and not db.changes_nothing():
        one_at_a_time(db.db.session, browser, request.path)


def _locale() -> str:
    actor = access.actor_or_none()
    if actor and actor.locale in LOCALES:
        return actor.locale
    return request.accept_languages.best_match(LOCALES, "en") if request else "en"


def _versioned_assets(app: Flask) -> None:
    """Let templates name a static file with a hash of its content, so it can be kept."""
    known: dict[str, str] = {}

    def asset(name: str) -> str:
        if name not in known:
            version = hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:12]
            known[name] = url_for("static", filename=name, v=version)
        return known[name]

    app.add_template_global(asset, "asset")
