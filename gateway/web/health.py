"""Whether this process lives and can keep a promise, in one word and no detail; and counts for who may read them."""

import secrets
from typing import Final

from flask import Blueprint, Response, request
from prometheus_client import CollectorRegistry, Gauge, generate_latest

from gateway.errors import GatewayError
from gateway.services import overview
from gateway.web.guard import public, refusal, runtime

health = Blueprint("health", __name__)
metrics = Blueprint("metrics", __name__)

_PEOPLE: Final = frozenset({"callbacks", "messages", "recipients", "outbox", "counselors"})
_SMALL: Final = 5


@health.get("/health/live")
@public
def live() -> Response:
    return Response("ok", mimetype="text/plain")


@health.get("/health/ready")
@public
def ready() -> Response:
    """Ready means that a request could be kept: Redis may be away, nobody would notice."""
    if overview.ready(runtime()):
        return Response("ok", mimetype="text/plain")
    return Response("no", status=503, mimetype="text/plain")


@metrics.get("/metrics")
@public
def counts() -> Response:
    """Counts without identities, for whoever holds the token; without a token there is no such page.

    What counts people is left out from one to four: who sees a one come and go sees a person.
    """
    token = runtime().settings.metrics_token
    given = request.headers.get("Authorization", "")
    if token is None or not secrets.compare_digest(given.encode(), f"Bearer {token}".encode()):
        return refusal(404)
    registry = CollectorRegistry()
    try:
        status = overview.status(runtime()) | overview.alarms(runtime())
    except GatewayError:
        return refusal(503)
    for subject, value in status.items():
        if isinstance(value, dict):
            gauge = Gauge(f"hotline_{subject}", f"How many {subject}", ["state"], registry=registry)
            for state, count in value.items():
                if subject not in _PEOPLE or not 0 < count < _SMALL:
                    gauge.labels(state).set(count)
        else:
            Gauge(f"hotline_{subject}", f"How many {subject}", registry=registry).set(value)
    return Response(generate_latest(registry), mimetype="text/plain")
