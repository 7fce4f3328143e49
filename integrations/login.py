"""A login that a person enters (an address, a user, an app password) as the one token that a connection keeps.

Kinds without an authorisation code flow name such a model as ``Connector.Login``. All of it travels in
``Token.access``, which is sealed and never shown.
"""

from __future__ import annotations

from typing import TypeVar

from pydantic import BaseModel, ValidationError

from integrations.contract import N_, Token, TokenSource
from integrations.errors import ReauthRequired

Login = TypeVar("Login", bound=BaseModel)


def sealed(login: BaseModel) -> Token:
    """The token that holds an entered login. Its fields are plain text, numbers and switches; no ``SecretStr``."""
    return Token(access=login.model_dump_json())


def opened(model: type[Login], token: Token) -> Login:
    """The login again; pydantic's ValidationError when the token is of another model."""
    return model.model_validate_json(token.access)


def entered(model: type[Login], tokens: TokenSource) -> Login:
    """The login of a connection; ReauthRequired when it is dead, or was entered for an earlier release of the kind."""
    token = tokens.current()
    try:
        return opened(model, token)
    except ValidationError:  # not chained: it holds what was typed
        raise ReauthRequired(N_("This login has to be entered anew. Please connect again.")) from None
