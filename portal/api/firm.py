"""/firm: the firm's own settings."""

from __future__ import annotations

from uuid import UUID

from apiflask import APIBlueprint
from pydantic import Field

from portal.accounts import services
from portal.accounts.models import Duplicates
from portal.api import told
from portal.api.reach import reading, viewer, writing
from portal.api.shapes import Given, Short, Told

bp = APIBlueprint("firm", __name__, tag="Firm")


class FirmOut(Told):
    """The accounting practice that the token belongs to."""

    id: UUID
    name: str
    zone: str = Field(description="IANA; nightly exports start at 23:30 there.")
    language: str
    duplicates: Duplicates = Field(
        description="What becomes of the same file, or the same supplier, number, date and total: hold until somebody "
        "decides, accept, or refuse the same file."
    )


class FirmChange(Given):
    """What is to be changed; what is not named stays."""

    name: Short | None = None
    zone: Short | None = None
    language: Short | None = None
    duplicates: Duplicates | None = None


@bp.get("/firm")
@bp.output(FirmOut)
def show() -> FirmOut:
    """Show the firm's settings"""
    with reading() as session:
        return told.filled(FirmOut, services.firm_of(session, viewer()))


@bp.patch("/firm")
@bp.input(FirmChange, arg_name="body")
@bp.output(FirmOut)
def change(body: FirmChange) -> FirmOut:
    """Change the firm's settings"""
    with writing() as session:
        firm = services.firm_of(session, viewer())
        changed = services.change_firm(
            session, viewer(), name=body.name or firm.name, zone=body.zone or firm.zone,
            language=body.language or firm.language, duplicates=body.duplicates or "",
        )  # fmt: skip
        return told.filled(FirmOut, changed)
