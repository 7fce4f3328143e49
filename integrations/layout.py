"""The settings by which storages lay documents out."""

from __future__ import annotations

from pydantic import BaseModel, Field, field_validator

from integrations.contract import N_, OutgoingDocument
from integrations.naming import DEFAULT_PATH, Language, Placement, Template, safe_name


class Layout(BaseModel):
    """Settings of one instance."""

    root: str = Field(
        default="Kontor",
        min_length=1,
        max_length=80,
        title=N_("Name of the main folder"),
        description=N_("Everything is put below it. Please do not move or rename it at the provider."),
    )
    path: str = Field(
        default=DEFAULT_PATH,
        max_length=200,
        title=N_("Folders and file name"),
        description=N_(
            "Below the main folder, separated by slashes. Places that are filled in: {client}, {account}, {month}, "
            "{kind}, {date}, {party}, {number}. What is not known of a document is left out."
        ),
    )
    language: Language = Field(default=Language.GERMAN, title=N_("Language of the folder names"))

    @field_validator("path")
    @classmethod
    def _path_can_be_used(cls, value: str) -> str:
        Template.parse(value)
        return value

    @property
    def top(self) -> str:
        """The main folder under a name that every storage takes."""
        return safe_name(self.root)

    @property
    def template(self) -> Template:
        """The path, read."""
        return Template.parse(self.path)

    def place(self, document: OutgoingDocument) -> Placement:
        """Where a document goes below the main folder."""
        return self.template.place(document, self.language)

    def account_folder(self, client: str, account: str) -> str:
        """The folder of a bank account below the main folder; empty when none is named after it."""
        return self.template.account_folder(client, account, self.language)
