"""The settings of a session: SET, SET LOCAL, RESET, and what a rollback takes back."""

import re
from collections.abc import Iterator, Mapping

from ingot.errors import did_you_mean
from ingot.pgwire.errors import PgError
from ingot.pgwire.setting_values import FIXED, checked

DEFAULTS = {
    "application_name": "",
    "bytea_output": "hex",
    "check_function_bodies": "on",
    "client_encoding": "UTF8",
    "client_min_messages": "notice",
    "datestyle": "ISO, MDY",
    "default_transaction_deferrable": "off",
    "default_transaction_isolation": "read committed",
    "default_transaction_read_only": "on",
    "escape_string_warning": "on",
    "extra_float_digits": "1",
    "idle_in_transaction_session_timeout": "0",
    "idle_session_timeout": "0",
    "ingot.ref": "",
    "intervalstyle": "postgres",
    "lock_timeout": "0",
    "role": "none",
    "row_security": "on",
    "search_path": '"$user", public',
    "session_authorization": "",
    "standard_conforming_strings": "on",
    "statement_timeout": "0",
    "timezone": "UTC",
    "transaction_deferrable": "off",
    "transaction_isolation": "read committed",
    "transaction_read_only": "on",
    "xmloption": "content",
}

ALIASES = {
    "time zone": "timezone",
    "names": "client_encoding",
    "session authorization": "session_authorization",
}
"""The words of SQL's own forms of SET and SHOW."""


class Settings(Mapping[str, str]):
    """What is set now, by names in lower case.

    A value is kept for the session or, with `local`, until the transaction ends. `mark` and `restore` are what
    transactions and savepoints need; both cost nothing.
    """

    def __init__(self, initial: Mapping[str, str]) -> None:
        self._defaults = {**DEFAULTS, **FIXED, **initial}
        self._session: Mapping[str, str] = {}
        self._local: Mapping[str, str] = {}
        self.changed = False
        """Whether something was set since it was last made False."""

    def __getitem__(self, name: str) -> str:
        for layer in (self._local, self._session, self._defaults):
            if name in layer:
                return layer[name]
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return iter({**self._defaults, **self._session, **self._local})

    def __len__(self) -> int:
        return len({**self._defaults, **self._session, **self._local})

    def show(self, name: str) -> str:
        """The value of a setting as SHOW tells it. Raises `PgError` 42704."""
        if name not in self:
            raise unknown(name, self)
        return self[name]

    def knows(self, name: str) -> bool:
        """Whether its values are judged here, or the name is one that anybody may make up (`my.name`)."""
        return name in DEFAULTS or name in FIXED or _CUSTOM.fullmatch(name) is not None

    def put(self, name: str, value: str | None, *, local: bool = False) -> None:
        """Sets a value, or with None the default. Raises `PgError` for an unknown name or a wrong value."""
        if not self.knows(name):
            raise unknown(name, self)
        self.adopt(name, None if value is None else checked(name, value), local=local)

    def adopt(self, name: str, value: str | None, *, local: bool = False) -> None:
        """As `put`, with a value that somebody has checked."""
        if value is None and name not in self._defaults:
            self._session = {key: kept for key, kept in self._session.items() if key != name}
            self._local = {key: kept for key, kept in self._local.items() if key != name}
            return
        value = self._defaults[name] if value is None else value
        if local:
            self._local = {**self._local, name: value}
        else:
            self._session = {**self._session, name: value}
            if name in self._local:
                self._local = {key: kept for key, kept in self._local.items() if key != name}
        self.changed = True

    def begin_with(self, name: str, value: str) -> None:
        """What the client says at the start, to which RESET goes back. Raises `PgError` for a wrong value."""
        self._defaults[name] = checked(name, value)

    def reset(self) -> None:
        """Everything as at the start."""
        self._session, self._local = {}, {}
        self.changed = True

    def mark(self) -> tuple[Mapping[str, str], Mapping[str, str]]:
        """What `restore` brings back."""
        return self._session, self._local

    def restore(self, mark: tuple[Mapping[str, str], Mapping[str, str]]) -> None:
        """Everything as it was at a mark."""
        if (self._session, self._local) != mark:
            self._session, self._local = mark
            self.changed = True

    def end_local(self) -> None:
        """What was set for the transaction only is over."""
        if self._local:
            self._local = {}
            self.changed = True


_CUSTOM = re.compile(r"[a-z_][a-z0-9_$]*(?:\.[a-z_][a-z0-9_$]*)+")


def unknown(name: str, known: Mapping[str, str]) -> PgError:
    """The error for a setting that is not there."""
    return PgError(
        f'unrecognized configuration parameter "{name}"',
        sqlstate="42704",
        hint=f"Is it{near.removeprefix(' (did you mean').removesuffix(')').rstrip('?')} that you mean?"
        if (near := did_you_mean(name, known))
        else None,
    )
