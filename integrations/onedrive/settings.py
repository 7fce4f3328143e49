"""What is set at an instance, and at the installation."""

from __future__ import annotations

import re

from pydantic import Field, field_validator

from integrations.contract import N_
from integrations.layout import Layout
from integrations.naming import Template
from integrations.oauth import OAuthApp

# A whole path has at most 400 characters. Before the main folder a company's has "personal/…/Documents", and a person
# may move the folder further down.
MOST, ABOVE = 400, 90


class Config(Layout):
    """Settings of one instance."""

    root: str = Field(
        default="Kontor",
        min_length=1,
        max_length=80,
        title=N_("Name of the main folder"),
        description=N_("It is made at the top of OneDrive; you may move or rename it there later."),
    )

    @property
    def top(self) -> str:
        """The main folder's name; SharePoint keeps "Forms" at the top of a library for itself."""
        name = super().top
        return f"{name}_" if name.casefold() == "forms" else name

    @property
    def template(self) -> Template:
        """Where documents go below the main folder, within OneDrive's longest path."""
        return super().template.within(MOST - ABOVE - len(self.top) - 1)


class App(OAuthApp):
    """The firm's app registration at Microsoft."""

    authority: str = Field(
        default="common",
        min_length=1,
        max_length=100,
        title=N_("Who may sign in"),
        description=N_(
            "“common” for personal and company accounts, “consumers” for personal ones only, “organizations” for "
            "company ones only, or the ID of one company (tenant). As chosen in the app registration."
        ),
    )

    @field_validator("authority")
    @classmethod
    def _is_one_word(cls, value: str) -> str:
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9.-]*", value):
            raise ValueError(N_("This is no tenant."))
        return value

    def address(self, url: str) -> str:
        """Microsoft's sign-in has the authority in its path."""
        return url.replace("{authority}", self.authority)
