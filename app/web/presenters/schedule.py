"""The schedule of scrapes."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from app.core.errors import InvalidInput
from app.core.schedule import ScheduleSettings
from app.services.schedule import ScheduleStatus
from app.web.presenters.common import Shape, present_time


def present_schedule(status: ScheduleStatus) -> Shape:
    settings = status.schedule.settings
    return {
        "agenda": None if settings.cron is None else settings.cron.expression,
        "fuso": "UTC" if settings.cron is None else settings.cron.zone,
        "jitter_s": settings.jitter_s,
        "ativa": settings.active,
        "proxima_execucao": present_time(status.schedule.starts_at),
        "ultima_execucao": present_time(status.last_began_at),
        "origem": "operador" if status.schedule.by_operator else "ambiente",
    }


def changed_settings(body: Mapping[str, Any], settings: ScheduleSettings) -> ScheduleSettings:
    """Return the settings with what a request changes. Raises InvalidInput."""
    if "agenda" in body:
        settings = settings.with_expression(body["agenda"])
    if "fuso" in body:
        if settings.cron is None:
            raise InvalidInput.of("fuso", "só vale com uma agenda")
        settings = replace(settings, cron=replace(settings.cron, zone=body["fuso"]))
    return replace(
        settings,
        jitter_s=body.get("jitter_s", settings.jitter_s),
        active=body.get("ativa", settings.active),
    )
