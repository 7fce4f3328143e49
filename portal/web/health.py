"""Whether this process lives and whether it can work; for load balancers and the supervisor, without signing in."""

from __future__ import annotations

from flask import Blueprint, jsonify
from flask.typing import ResponseReturnValue
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from portal.queue import Bell, version
from portal.web import parts, public, reading

pages = Blueprint("health", __name__)


@pages.get("/healthz")
@public
def alive() -> ResponseReturnValue:
    """The process answers."""
    return jsonify(status="ok")


@pages.get("/readyz")
@public
def ready() -> ResponseReturnValue:
    """200 when the database answers. A missing Redis is told but costs only time, so it is no reason to stop."""
    database, bell = _database(), _bell()
    body = {"status": "ok" if database else "unavailable", "database": database, "redis": bell}
    return jsonify(body), 200 if database else 503


def _database() -> bool:
    try:
        with reading() as session:
            session.connection().execute(text("SELECT 1 FROM firm LIMIT 1"))
    except SQLAlchemyError:
        return False
    return True


def _bell() -> bool:
    bell = parts().db.bell
    return isinstance(bell, Bell) and version(bell.redis) is not None
