"""Who asks: the security context that policies, hooks and `SECURITY_CONTEXT` in models read.

It is made where a request is authenticated and goes with the question to every pass; it is part of the key
of every cached answer that depended on it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    from ingot.project.users import User


@dataclass(frozen=True, slots=True)
class Context:
    """A security context. `security` is the payload of the token, as in Cube; `groups` are the asker's groups."""

    security: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    groups: tuple[str, ...] = ()

    @property
    def key(self) -> bytes:
        """The same bytes for the same context, whatever the order of its keys."""
        return orjson.dumps([dict(self.security), self.groups], option=orjson.OPT_SORT_KEYS, default=str)


ANYONE = Context()
"""Nobody in particular: where no login is asked for."""


def of_user(user: "User") -> Context:
    """Who a user of `users.yml` is for policies and hooks."""
    return Context(MappingProxyType({"user": user.name, **user.security}), tuple(sorted(set(user.groups))))
