"""What a simulated provider is to the sandbox, and what the sandbox gives it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from integrations.sandbox.clock import Clock
from integrations.sandbox.faults import Faults, Step
from integrations.sandbox.oauth import Account, OAuth, Rules
from integrations.sandbox.state import Store

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication
    from werkzeug.wrappers import Request, Response


@dataclass(frozen=True)
class Core:
    """What all simulators share."""

    store: Store
    clock: Clock
    faults: Faults


@dataclass(frozen=True)
class Setting:
    """One switch of a simulator: what it does and how it stands at first (the type of the default is its type)."""

    help: str
    default: bool | int | float | str


class Unknown(LookupError):
    """A control call names what this simulator has not."""


@dataclass
class Settings:
    """The switches of one provider, kept in the state."""

    store: Store
    kind: str
    known: Mapping[str, Setting] = field(default_factory=dict)

    def get(self, name: str) -> Any:
        """The value as set, else its default."""
        value = self.store.bucket(f"{self.kind}:settings").peek(name)
        return self.known[name].default if value is None else value

    def put(self, values: Mapping[str, Any]) -> None:
        """Set some; Unknown for a name there is not, ValueError for a value of another type."""
        for name, value in values.items():
            if name not in self.known:
                raise Unknown(f"{self.kind} has no setting {name!r}; there are {', '.join(self.known)}")
            wanted = type(self.known[name].default)
            if not isinstance(value, wanted) and not (wanted is float and isinstance(value, int)):
                raise ValueError(f"{name} is a {wanted.__name__}")
        for name, value in values.items():
            self.store.bucket(f"{self.kind}:settings").put(name, value)

    def all(self) -> dict[str, Any]:
        """Every switch as it stands."""
        return {name: self.get(name) for name in self.known}


class Provider(ABC):
    """One simulated provider: a WSGI app below ``/<kind>``, its OAuth server and its own words for trouble."""

    kind: ClassVar[str]
    title: ClassVar[str]
    rules: ClassVar[Rules]  # how its OAuth server behaves
    known_settings: ClassVar[Mapping[str, Setting]] = {}

    def __init__(self, core: Core) -> None:
        self.core, self.store, self.clock = core, core.store, core.clock
        self.settings = Settings(core.store, self.kind, self.known_settings)
        self.oauth = OAuth(self.kind, self.title, self.rules, core.store, core.clock, self.accounts)

    @property
    @abstractmethod
    def wsgi(self) -> WSGIApplication:
        """The app; paths are below its mount, ``/oauth2/…`` is answered before it."""

    @abstractmethod
    def endpoints(self, base: str) -> dict[str, str]:
        """The names of the connector's manifest endpoints with addresses below ``base`` (no slash at its end)."""

    @abstractmethod
    def accounts(self) -> Sequence[Account]:
        """Accounts (companies, drives) that a person may choose on the consent page; the pages link to them."""

    @abstractmethod
    def is_api(self, path: str) -> bool:
        """Whether a path below the mount is the provider's API (faults hit it), not a page for people."""

    @abstractmethod
    def refusal(self, step: Step, request: Request) -> Response | None:
        """The provider's own answer for ``throttle``, ``down``, ``full`` and ``fault``; None: it has no such."""

    def control(self, action: str, order: Mapping[str, Any]) -> Any:
        """A control call of its own, POST /_control/<kind>/<action>; the answer is JSON. Unknown if there is none."""
        raise Unknown(f"{self.kind} has no control call {action!r}")
