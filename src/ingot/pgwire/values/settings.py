"""The settings of a session that decide how values look."""

from collections.abc import Mapping

from ingot.pgwire.errors import PgError
from ingot.pgwire.values.zones import Zone

INTERVAL_STYLES = ("postgres", "postgres_verbose", "sql_standard", "iso_8601")


class Style:
    """How text is written for one session, read from its settings when rows begin."""

    __slots__ = ("bytea_escape", "float_digits", "interval", "zone")

    def __init__(self, settings: Mapping[str, str]) -> None:
        """Raises `PgError` for a value that PostgreSQL does not know, or a `DateStyle` other than ISO."""
        self.zone = Zone.named(settings.get("timezone", "UTC"))
        check_datestyle(settings.get("datestyle", "ISO, MDY"))
        self.interval = settings.get("intervalstyle", "postgres").lower()
        if self.interval not in INTERVAL_STYLES:
            raise _invalid("IntervalStyle", self.interval)
        bytea = settings.get("bytea_output", "hex").lower()
        if bytea not in ("hex", "escape"):
            raise _invalid("bytea_output", bytea)
        self.bytea_escape = bytea == "escape"
        digits = settings.get("extra_float_digits", "1")
        try:
            self.float_digits = int(digits)
        except ValueError:
            raise _invalid("extra_float_digits", digits) from None


def check_datestyle(value: str) -> None:
    """Raises `PgError` where times would have to be written otherwise than in ISO's form."""
    for word in value.replace(",", " ").split():
        if word.lower() in ("sql", "postgres", "german"):
            raise PgError(
                f"DateStyle {word} is not supported", sqlstate="0A000", hint="Times are written as ISO does."
            )


def _invalid(name: str, value: str) -> PgError:
    return PgError(f'invalid value for parameter "{name}": "{value}"', sqlstate="22023")
