"""What the installation and each instance are asked for."""

from __future__ import annotations

from pydantic import Field

from integrations.contract import N_
from integrations.layout import Layout
from integrations.oauth import OAuthApp


class App(OAuthApp):
    """The firm's app at Dropbox."""

    app_folder: str = Field(
        default="",
        max_length=100,
        title=N_("Name of the app folder"),
        description=N_(
            "As the app's page at Dropbox shows it; it makes the links to files right. Leave it empty when the app has "
            "access to the full Dropbox."
        ),
    )


class Config(Layout):
    """Settings of one instance."""

    root: str = Field(
        default="Kontor",
        min_length=1,
        max_length=80,
        title=N_("Name of the main folder"),
        description=N_("It is made at the top of what the app may see; you may move or rename it there later."),
    )
    team_space: bool = Field(
        default=False,
        title=N_("Use the team's space"),
        description=N_(
            "The main folder is made beside the team's folders instead of in the own folder. Only for accounts of a "
            "Dropbox team, and only when the app has access to the full Dropbox."
        ),
    )
