"""What a person enters to sign in to a WebDAV server, and what that is on the wire."""

from __future__ import annotations

import base64
import re

import httpx
from pydantic import BaseModel, Field, field_validator

from integrations.addresses import web_address
from integrations.contract import N_


class DavLogin(BaseModel):
    """Address, user and password."""

    address: str = Field(
        min_length=1,
        max_length=500,
        title=N_("Address"),
        description=N_(
            "Of your Nextcloud (https://cloud.example.com) or of the WebDAV folder that everything is put into."
        ),
    )
    user: str = Field(min_length=1, max_length=200, title=N_("User name"))
    password: str = Field(
        min_length=1,
        max_length=500,
        title=N_("App password"),
        description=N_("In Nextcloud: Settings → Security → Devices & sessions → Create new app password."),
        repr=False,
        json_schema_extra={"secret": True},
    )

    @field_validator("address")
    @classmethod
    def _completed(cls, value: str) -> str:
        return web_address(value)

    @field_validator("user")
    @classmethod
    def _fits_basic(cls, value: str) -> str:
        if re.search(r"[:\x00-\x1f]", value):  # RFC 7617: the colon ends the name
            raise ValueError(N_("A user name has no colon."))
        return value.strip()

    @property
    def server(self) -> str:
        """Where a Nextcloud would begin: the address without the pages and services below it."""
        return re.split(r"/(?:index\.php|remote\.php|apps|login|s)(?:/|$)", self.address, maxsplit=1)[0]

    def sign(self, request: httpx.Request) -> None:
        """HTTP Basic, in UTF-8."""
        both = f"{self.user}:{self.password}".encode()
        request.headers["Authorization"] = f"Basic {base64.b64encode(both).decode()}"
