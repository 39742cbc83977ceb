"""The application factory: `create_app` wires everything and starts nothing."""

import functools
import os
import threading
from datetime import timedelta

from flask import Flask
from flask.typing import RouteCallable
from werkzeug.middleware.proxy_fix import ProxyFix

from app.blueprints.auth import auth
from app.blueprints.books import books
from app.blueprints.history import history
from app.blueprints.imports import IMPORT_PATH, imports
from app.blueprints.logs import logs
from app.blueprints.ml import ml
from app.blueprints.orders import orders
from app.blueprints.scraping import scraping
from app.blueprints.simulation import simulation as simulation_routes
from app.blueprints.stats import stats
from app.blueprints.system import system
from app.cli import register_commands
from app.core.accounts import min_password_length
from app.core.payments import PaymentGateway
from app.core.schedule import ScheduleSettings
from app.extensions import db, jwt, migrate
from app.observability.logs.files import log_path
from app.observability.logs.follower import LogTails
from app.observability.logs.reader import LogReader
from app.observability.logs.writer import LogWriter
from app.observability.metrics import Metrics
from app.services.accounts import ACCESS_TOKEN_TTL, REFRESH_TOKEN_TTL, Accounts
from app.services.audit import audit
from app.services.changes import Changes
from app.services.model_store import ModelStore
from app.services.passwords import Passwords
from app.services.payments import MAX_AUTHORISATIONS, Payments
from app.services.periodic_tasks import PeriodicTasks
from app.services.predictions import Predictions
from app.services.schedule import CHECK_EVERY_S as SCHEDULE_CHECK_EVERY_S
from app.services.schedule import ScrapeSchedule
from app.services.scraping import Scrapes
from app.services.shop_state import read_shop_state
from app.services.text_models import TextModels
from app.services.training import Trainings
from app.settings import ENV_FILE, Settings, read_settings
from app.shop import Shop
from app.simulation.faults import Simulation
from app.simulation.gateway import SimulatedGateway
from app.simulation.orders import FaultyOrders
from app.storage.book_texts import BookTexts
from app.storage.catalogue_store import CatalogueStore
from app.storage.database import Database, database_options
from app.storage.past_catalogues import PastCatalogues
from app.storage.places import Places, places_for
from app.storage.polled import CHECK_EVERY_S
from app.web.access import bears_token
from app.web.body_guard import BodyGuard, LargeBodies
from app.web.browser_headers import BrowserHeaders
from app.web.endpoint import operation_of
from app.web.error_handlers import register_error_handlers
from app.web.fields import PlainInteger
from app.web.hooks import register_hooks
from app.web.middleware import RequestMiddleware
from app.web.openapi import serve_documentation
from app.web.rate_limits import ReadLimit, limit_rates
from app.web.response_cache import ResponseCache
from app.web.responses import OrjsonProvider

GRACE = timedelta(seconds=60)
"""Time beyond its payment's limit after which an order counts as abandoned."""
GIVE_UP_AFTER = timedelta(minutes=10)
"""Age at which an abandoned order is released although the gateway can't be reached."""
READERS_THREADS = 4
"""Threads of one process that payments leave to other requests, however many of them hang."""
TRAINING_DELAY_S = 2.0
LOG_FILE_CHECK_S = 0.05
"""Seconds after which a process notices that another one has rotated the log's file."""
MAX_TAILS = 4
"""Clients of one process that may follow the log at once; a thread always remains for others."""
MAX_STREAMS = 4
"""Long lists that one process may send at once, and no more than one for every four threads."""


def create_app(settings: Settings | None = None, check_every_s: float = CHECK_EVERY_S) -> Flask:
    """Return an application on the database of `settings`, which it neither creates nor changes.

    Without settings, as for the `flask` command, they are read from the environment and `.env`.
    `app.start.prepare` makes the database ready; the background thread of the scraper begins with the
    first trigger. What other processes change in the database shows after `check_every_s` seconds. Raises
    RuntimeError where a route doesn't declare an operation.
    """
    settings = settings or read_settings(os.environ, ENV_FILE)
    app = Flask("app")
    app.json = OrjsonProvider(app)
    app.url_map.merge_slashes = False  # Werkzeug's redirect to one slash would go to whatever `Host` says
    app.url_map.converters["int"] = PlainInteger
    url = settings.database_url or f"sqlite:///{settings.data_dir / 'livraria.db'}"
    app.config.update(
        MAX_CONTENT_LENGTH=settings.max_body_bytes,
        BODY_LIMITS={IMPORT_PATH: settings.import_max_bytes},
        MAX_URL_BYTES=settings.max_url_bytes,
        SQLALCHEMY_DATABASE_URI=url,
        SQLALCHEMY_ENGINE_OPTIONS=database_options(url, settings.web_threads),
        JWT_SECRET_KEY=settings.jwt_secret_key,
        JWT_ACCESS_TOKEN_EXPIRES=ACCESS_TOKEN_TTL,
        JWT_REFRESH_TOKEN_EXPIRES=REFRESH_TOKEN_TTL,
    )
    db.init_app(app)
    migrate.init_app(app, db, directory=f"{app.root_path}/storage/migrations", render_as_batch=True)
    jwt.init_app(app)
    app.extensions["shop"] = _assemble(app, settings, check_every_s)
    register_error_handlers(app)
    app.before_request(app.extensions["shop"].database.places.limit_this_thread)
    for blueprint in (
        system, auth, books, imports, history, stats, orders, scraping, ml, simulation_routes, logs,
    ):  # fmt: skip
        app.register_blueprint(blueprint)
    read_limit = limit_rates(app, settings)
    _require_operations(app.view_functions)
    serve_documentation(app)
    register_hooks(app, app.extensions["shop"].metrics)
    _add_wsgi_layers(app, settings, read_limit)
    register_commands(app)
    return app


def _add_wsgi_layers(app: Flask, settings: Settings, read_limit: ReadLimit | None) -> None:
    """Wrap Flask in what comes before it, from the inside out."""
    shop: Shop = app.extensions["shop"]
    app.wsgi_app = BodyGuard(  # type: ignore[method-assign]
        app.wsgi_app,
        max_body_bytes=settings.max_body_bytes,
        large_bodies=LargeBodies(app.config["BODY_LIMITS"], functools.partial(bears_token, settings)),
        max_requests=settings.web_threads,
        max_waits=settings.body_threads,
        timeout_s=settings.body_timeout_s,
        min_rate=settings.body_min_rate,
    )
    cache = ResponseCache(shop.catalogue, settings.response_cache_bytes)
    secrets = (*settings.api_keys, settings.metrics_token)
    app.wsgi_app = RequestMiddleware(  # type: ignore[method-assign]
        app.wsgi_app, shop.metrics, cache, secrets, read_limit, shop.draining
    )
    if settings.cors_origins or settings.production:
        app.wsgi_app = BrowserHeaders(  # type: ignore[method-assign]
            app.wsgi_app, settings.cors_origins, hsts=settings.production
        )
    if settings.trusted_proxies:
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign]
            app.wsgi_app, x_for=settings.trusted_proxies, x_proto=settings.trusted_proxies
        )


def _assemble(app: Flask, settings: Settings, check_every_s: float) -> Shop:
    with app.app_context():
        database = Database(db.engine, Places(places_for(settings.web_threads)))
    metrics = Metrics(lambda: read_shop_state(database, catalogue, settings.metrics_inventory_books))
    catalogue = CatalogueStore(database, check_every_s, TextModels(database, metrics).load)
    texts = BookTexts(database)
    simulation = Simulation(settings, database, check_every_s)
    payment_timeout_s = float(settings.payment_timeout_s)
    gateway = _payment_gateway(settings, simulation, database)
    orders = FaultyOrders(
        simulation,
        database,
        catalogue,
        Payments(gateway, payment_timeout_s, metrics, max_authorisations(settings.web_threads)),
        metrics,
        abandoned_after=timedelta(seconds=payment_timeout_s) + GRACE,
        give_up_after=GIVE_UP_AFTER,
    )
    changes = Changes(database, settings.history_days)
    models = ModelStore(settings.data_dir, database, catalogue, metrics, check_every_s)
    trainings = Trainings(settings, database, catalogue, models, metrics)
    scrapes = Scrapes(settings, database, catalogue, metrics, trainings.start_if_needed)
    schedule = ScrapeSchedule(
        ScheduleSettings(cron=settings.scraper_schedule, jitter_s=settings.scraper_jitter_s),
        database,
        scrapes,
        metrics,
    )
    log = log_path(settings.data_dir)
    return Shop(
        settings=settings,
        database=database,
        catalogue=catalogue,
        past=PastCatalogues(database, catalogue, texts),
        texts=texts,
        changes=changes,
        accounts=Accounts(database, Passwords(settings), min_password_length(production=settings.production)),
        scrapes=scrapes,
        schedule=schedule,
        orders=orders,
        models=models,
        trainings=trainings,
        predictions=Predictions(models, metrics),
        simulation=simulation,
        gateway=gateway,
        metrics=metrics,
        log_writer=LogWriter(
            log, settings.log_max_bytes, settings.log_files, metrics.count_lost_line, LOG_FILE_CHECK_S
        ),
        log_reader=LogReader(log, settings.log_files),
        log_tails=LogTails(log, settings.log_files, max_clients=min(MAX_TAILS, settings.web_threads - 1)),
        streams=threading.BoundedSemaphore(max(1, min(MAX_STREAMS, settings.web_threads // 4))),
        # Before a request would: the one that met a new publication would wait for all of it.
        catalogue_tasks=PeriodicTasks(
            "catalogue-tasks", [catalogue.watch], interval_s=check_every_s / 2 or CHECK_EVERY_S
        ),
        order_tasks=PeriodicTasks("order-tasks", [orders.reconcile, orders.purge_keys, gateway.purge]),
        schedule_tasks=PeriodicTasks("schedule-tasks", [schedule.run_due], interval_s=SCHEDULE_CHECK_EVERY_S),
        # Apart, since they read everything that was ever sold or published, and must hold up neither orders nor the
        # machine.
        audit_tasks=PeriodicTasks(
            "audit-tasks", [functools.partial(audit, database, metrics), changes.purge], min_idle_factor=20
        ),
        # After the first answers, which neither a training nor the import of scikit-learn may hold up.
        model_tasks=PeriodicTasks(
            "model-tasks",
            [models.refresh, trainings.start_if_needed, trainings.forget_files],
            first_after_s=TRAINING_DELAY_S,
        ),
    )


def max_authorisations(web_threads: int) -> int:
    """Return how many payments may be in progress at once."""
    return min(MAX_AUTHORISATIONS, max(1, web_threads - READERS_THREADS))


def _payment_gateway(settings: Settings, simulation: Simulation, database: Database) -> PaymentGateway:
    """Return the gateway that takes the payments, the one place that chooses it."""
    return SimulatedGateway(simulation, database, hangs_for_s=float(settings.payment_timeout_s) + 1)


def _require_operations(views: dict[str, RouteCallable]) -> None:
    """Deny by default: raise RuntimeError for a view that declares no access."""
    undeclared = [name for name, view in views.items() if name != "static" and operation_of(view) is None]
    if undeclared:
        raise RuntimeError(f"routes without an operation: {', '.join(undeclared)}")
