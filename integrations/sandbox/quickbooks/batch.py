"""Many at once: batch requests, and change data capture."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from integrations.sandbox.quickbooks import query
from integrations.sandbox.quickbooks.company import Company
from integrations.sandbox.quickbooks.fault import Fault, missing
from integrations.sandbox.quickbooks.names import canonical
from integrations.sandbox.quickbooks.writes import write

Entity = dict[str, Any]
_CONTROL = {"bId", "operation", "optionsData", "Query", "CDCQuery", "ReportQuery"}
_CDC_DAYS = 30
_CDC_MOST = 1000


def batch(company: Company, body: Any, *, largest: int, request_id: str, exact_case: bool) -> Entity:
    """The answer to a batch; every item has its own result or fault. Fault 1040 when there are too many."""
    items = body.get("BatchItemRequest") if isinstance(body, dict) else None
    if not isinstance(items, list) or not items:
        raise missing("BatchItemRequest")
    if len(items) > largest:
        raise Fault(1040, f"The maximum number of batch items is {largest}. Supplied value:{len(items)}")
    keys = [str(item.get("bId", "")) for item in items]
    if not all(keys) or len(set(keys)) != len(keys):
        raise missing("bId")
    if request_id and any(len(key) > 10 for key in keys):
        raise Fault(2050, "With a requestid a bId has at most 10 characters.", "bId")
    return {"BatchItemResponse": [_item(company, item, exact_case) for item in items]}


def _item(company: Company, item: Mapping[str, Any], exact_case: bool) -> Entity:
    try:
        return {**_done(company, item, exact_case), "bId": item["bId"]}
    except Fault as fault:
        return {"Fault": fault.body(), "bId": item["bId"]}


def _done(company: Company, item: Mapping[str, Any], exact_case: bool) -> Entity:
    if "Query" in item:
        return {"QueryResponse": query.run(company, query.parse(str(item["Query"])), exact_case=exact_case)}
    if "CDCQuery" in item:
        asked = item["CDCQuery"]
        return {"CDCResponse": capture(company, asked.get("Entities", ""), asked.get("ChangedSince", ""))}
    named = [name for name in item if name not in _CONTROL]
    entity = canonical(named[0]) if len(named) == 1 else None
    if entity is None:
        raise Fault(2010, f"Property Name:{', '.join(named) or 'none'} specified is unsupported or invalid")
    operation = str(item.get("operation", ""))
    if operation not in {"create", "update", "delete", "void"}:
        raise Fault(500, f"Operation {operation} is not supported.")
    include = str(item.get("optionsData", ""))
    return {entity: write(company, entity, item[named[0]], operation=operation, include=include)}


def capture(company: Company, entities: str, since: str) -> Entity:
    """What changed in the named entities since a moment: at most 30 days back, at most 1000 objects in all."""
    names = [name.strip() for name in entities.split(",") if name.strip()]
    if not names:
        raise missing("entities")
    moment = _moment(company, since)
    room = _CDC_MOST
    answers: list[Entity] = []
    for name in names:
        entity = canonical(name)
        if entity is None:
            raise Fault(2010, f"Property Name:{name} specified is unsupported or invalid")
        changed = [
            thing
            for thing in [*company.all(entity), *company.bucket(f"deleted:{entity}").values()]
            if datetime.fromisoformat(thing["MetaData"]["LastUpdatedTime"]) >= moment
        ]
        changed.sort(key=lambda thing: str(thing["MetaData"]["LastUpdatedTime"]))
        shown, room = changed[:room], max(room - len(changed), 0)
        if not shown:
            answers.append({})
            continue
        answers.append({entity: shown, "startPosition": 1, "maxResults": len(shown), "totalCount": len(shown)})
    return {"QueryResponse": answers}


def _moment(company: Company, since: str) -> datetime:
    if not since:
        raise missing("changedSince")
    now = company.clock.now()
    try:
        moment = datetime.fromisoformat(since.replace(" ", "+"))
    except ValueError as error:
        raise Fault(2010, "Property Name:changedSince specified is unsupported or invalid") from error
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=now.tzinfo)
    if now - moment > timedelta(days=_CDC_DAYS):
        raise Fault(4001, f"QueryValidationError: changedSince may be at most {_CDC_DAYS} days back")
    return moment.replace(microsecond=0)
