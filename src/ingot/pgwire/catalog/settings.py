"""Which settings of a session the shadow gets to know: those that change what it says, and no others."""

from collections.abc import Mapping

_TOLD = frozenset({
    "search_path", "timezone", "datestyle", "intervalstyle", "extra_float_digits", "bytea_output",
    "application_name", "xmlbinary", "xmloption", "array_nulls", "quote_all_identifiers", "row_security", "jit",
    "escape_string_warning", "backslash_quote", "client_min_messages", "default_text_search_config", "lc_monetary",
    "lc_numeric", "lc_time", "transform_null_equals", "standard_conforming_strings",
})  # fmt: skip
_DEFAULTS = {
    "search_path": '"$user", public',
    "timezone": "UTC",
    "datestyle": "ISO, MDY",
    "intervalstyle": "postgres",
    "extra_float_digits": "1",
    "bytea_output": "hex",
    "application_name": "",
    "xmloption": "content",
    "row_security": "on",
    "escape_string_warning": "on",
    "client_min_messages": "notice",
    "standard_conforming_strings": "on",
}

SESSION = "SELECT name, pg_catalog.current_setting(name) FROM pg_catalog.pg_settings WHERE source = 'session'"
"""What was set in a connection."""


def wanted(session: Mapping[str, str], own: Mapping[str, str]) -> dict[str, str]:
    """What a connection must have set; `own`: what the session has set by functions, where it says nothing else."""
    found = dict(own)
    for name in session:
        if _is_told(name) and session[name] != _DEFAULTS.get(name):
            found[name] = session[name]
    return found


def applied(values: Mapping[str, str]) -> dict[str, str]:
    """What of the values that were found in a connection goes to the next one."""
    return {name: value for name, value in values.items() if _is_told(name) and value != _DEFAULTS.get(name)}


def _is_told(name: str) -> bool:
    return name in _TOLD or ("." in name and not name.startswith("ingot."))
