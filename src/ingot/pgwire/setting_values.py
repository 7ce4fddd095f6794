"""What values settings take, as PostgreSQL keeps them: on and off, durations, zones, styles; and those that nobody sets."""

import re
from collections.abc import Callable
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from ingot.pgwire.errors import PgError

REPORTED = {
    "application_name": "application_name",
    "client_encoding": "client_encoding",
    "datestyle": "DateStyle",
    "default_transaction_read_only": "default_transaction_read_only",
    "in_hot_standby": "in_hot_standby",
    "integer_datetimes": "integer_datetimes",
    "intervalstyle": "IntervalStyle",
    "is_superuser": "is_superuser",
    "scram_iterations": "scram_iterations",
    "search_path": "search_path",
    "server_encoding": "server_encoding",
    "server_version": "server_version",
    "session_authorization": "session_authorization",
    "standard_conforming_strings": "standard_conforming_strings",
    "timezone": "TimeZone",
}
"""What clients are told at the start and at each change, by the name in lower case."""

FIXED = {
    "in_hot_standby": "off",
    "integer_datetimes": "on",
    "is_superuser": "off",
    "scram_iterations": "4096",
    "server_encoding": "UTF8",
    "server_version": "18.0",
    "server_version_num": "180000",
}
"""What nobody sets."""

_UNITS = {"us": 0.001, "ms": 1, "s": 1000, "min": 60_000, "h": 3_600_000, "d": 86_400_000}
_DURATION = re.compile(r"\s*([0-9]+(?:\.[0-9]*)?|\.[0-9]+)\s*(us|ms|s|min|h|d)?\s*")
_TRUE = {"on", "true", "yes", "1", "t", "y", "tr", "tru", "ye"}
_FALSE = {"off", "false", "no", "0", "f", "n", "of", "fa", "fal", "fals"}


def checked(name: str, value: str) -> str:
    """A value as PostgreSQL would keep it. Raises `PgError` where it does not fit."""
    if name in FIXED:
        raise PgError(f'parameter "{name}" cannot be changed', sqlstate="55P02")
    check = _CHECKS.get(name)
    if check is None:
        return value
    return check(name, value)


def milliseconds(value: str) -> int:
    """A duration of a setting; 0 for none."""
    hit = _DURATION.fullmatch(value)
    return int(float(hit[1]) * _UNITS[hit[2] or "ms"]) if hit else 0


def _wrong(name: str, value: str, hint: str | None = None) -> PgError:
    shown = REPORTED.get(name, name)
    return PgError(f'invalid value for parameter "{shown}": "{value}"', sqlstate="22023", hint=hint)


def _switch(name: str, value: str) -> str:
    if value.lower() in _TRUE:
        return "on"
    if value.lower() in _FALSE:
        return "off"
    raise PgError(f'parameter "{name}" requires a Boolean value', sqlstate="22023")


def _duration(name: str, value: str) -> str:
    hit = _DURATION.fullmatch(value)
    if hit is None:
        units = 'Valid units for this parameter are "us", "ms", "s", "min", "h", and "d".'
        raise _wrong(name, value, units if value[:1].isdigit() else None)
    number = milliseconds(value)
    if number > 2147483647:
        raise PgError(
            f'{number} ms is outside the valid range for parameter "{name}" (0 ms .. 2147483647 ms)',
            sqlstate="22023",
        )
    if number:
        for unit, size in (("d", 86_400_000), ("h", 3_600_000), ("min", 60_000), ("s", 1000)):
            if number % size == 0:
                return f"{number // size}{unit}"
        return f"{number}ms"
    return "0"


def _one_of(*values: str) -> Callable[[str, str], str]:
    def check(name: str, value: str) -> str:
        if value.lower() not in values:
            raise _wrong(name, value, f"Available values: {', '.join(values)}.")
        return value.lower()

    return check


def _read_only(name: str, value: str) -> str:
    if _switch(name, value) == "off" and name == "transaction_read_only":
        raise PgError("cannot set transaction read-write mode: this server only reads", sqlstate="0A000")
    return "on"


def _always(wanted: str) -> Callable[[str, str], str]:
    def check(name: str, value: str) -> str:
        if _switch(name, value) != wanted:
            raise PgError(f'parameter "{name}" is always {wanted}', sqlstate="0A000")
        return wanted

    return check


def _encoding(name: str, value: str) -> str:
    # As PostgreSQL, which looks at letters and digits alone: asyncpg writes 'utf-8' with the quotes.
    if "".join(filter(str.isalnum, value)).upper() in ("UTF8", "UNICODE", "UTF"):
        return "UTF8"
    raise _wrong(name, value, "Ingot speaks UTF8.")


def _zone(name: str, value: str) -> str:
    if value.lower() in ("local", "default", "utc", "gmt", "etc/utc", "z", "zulu"):
        return {"etc/utc": "Etc/UTC", "gmt": "GMT"}.get(value.lower(), "UTC")
    if hit := re.fullmatch(r"([+-]?)([0-9]{1,2})(?::?([0-9]{2}))?(?:\.0+)?", value.strip()):
        sign, hours, minutes = hit.groups()
        if int(hours) > 15:
            raise _wrong(name, value)
        east = f"{int(hours):02d}" + (f":{minutes}" if minutes and minutes != "00" else "")
        # POSIX counts the other way round, and so do the names that PostgreSQL shows.
        return f"<{sign or '+'}{east}>{'' if sign == '-' else '-'}{east}"
    if re.fullmatch(r"<[+-][0-9:]{2,8}>[+-]?[0-9:]{1,8}", value):
        return value
    try:
        return ZoneInfo(value).key
    except (ZoneInfoNotFoundError, ValueError, OSError):
        pass
    from zoneinfo import available_timezones  # noqa: PLC0415 - reads the list of all zones; rarely needed

    folded = {each.lower(): each for each in available_timezones()}
    if found := folded.get(value.lower()):
        return found
    raise _wrong(name, value)


def _date_style(name: str, value: str) -> str:
    style, order = "ISO", "MDY"
    for part in value.replace(",", " ").split():
        match part.lower():
            case "iso":
                style = "ISO"
            case "mdy" | "us" | "noneuro" | "noneuropean":
                order = "MDY"
            case "dmy" | "euro" | "european":
                order = "DMY"
            case "ymd":
                order = "YMD"
            case "default":
                style, order = "ISO", "MDY"
            case "sql" | "postgres" | "german":
                raise PgError(f"Ingot writes dates in the style ISO, not {part}", sqlstate="0A000")
            case _:
                raise _wrong(name, value)
    return f"{style}, {order}"


def _application(name: str, value: str) -> str:  # noqa: ARG001 - every check takes both
    return "".join(each if " " <= each <= "~" else "?" for each in value)[:63]


def _float_digits(name: str, value: str) -> str:
    try:
        number = int(value)
    except ValueError:
        raise _wrong(name, value) from None
    if not -15 <= number <= 3:
        raise PgError(
            f'{number} is outside the valid range for parameter "{name}" (-15 .. 3)', sqlstate="22023"
        )
    return str(number)


_ISOLATION = _one_of("serializable", "repeatable read", "read committed", "read uncommitted")
_CHECKS: dict[str, Callable[[str, str], str]] = {
    "application_name": _application,
    "bytea_output": _one_of("hex", "escape"),
    "check_function_bodies": _switch,
    "client_encoding": _encoding,
    "client_min_messages": _one_of(
        "debug5", "debug4", "debug3", "debug2", "debug1", "debug", "log", "notice", "warning", "error"
    ),
    "datestyle": _date_style,
    "default_transaction_deferrable": _switch,
    "default_transaction_isolation": _ISOLATION,
    "default_transaction_read_only": _switch,
    "escape_string_warning": _switch,
    "extra_float_digits": _float_digits,
    "idle_in_transaction_session_timeout": _duration,
    "idle_session_timeout": _duration,
    "intervalstyle": _one_of("postgres", "postgres_verbose", "sql_standard", "iso_8601"),
    "lock_timeout": _duration,
    "row_security": _switch,
    "standard_conforming_strings": _always("on"),
    "statement_timeout": _duration,
    "timezone": _zone,
    "transaction_deferrable": _switch,
    "transaction_isolation": _ISOLATION,
    "transaction_read_only": _read_only,
}
