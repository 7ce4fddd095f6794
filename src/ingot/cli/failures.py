"""Every way in which a command can fail, as one message on standard error and an exit code."""

import errno
import json
import sys
import traceback

from ingot.errors import IngotError, UsageError

_DISK = {
    errno.ENOSPC: "The disk is full",
    errno.EDQUOT: "The disk quota is used up",
    errno.EROFS: "The file system is read-only",
    errno.EACCES: "Permission denied",
    errno.EPERM: "Permission denied",
}


def report(error: BaseException, *, debug: bool) -> int:
    """Prints what went wrong and returns the exit code; the stack trace only with `debug`."""
    import click
    from typer import Exit
    from typer._click import exceptions as typer_click

    if isinstance(error, Exit | click.exceptions.Exit):
        return error.exit_code
    if isinstance(error, typer_click.ClickException | click.ClickException):
        error.show()
        return 2
    if debug:
        traceback.print_exception(error, file=sys.stderr)
    if isinstance(error, KeyboardInterrupt) or type(error).__name__ == "Abort":
        print("Stopped.", file=sys.stderr)
        return 130
    if isinstance(error, BrokenPipeError):
        # The reader of a pipe has gone (`ingot log | head`); closing stdout again would raise once more.
        sys.stderr.close()
        return 0
    known = explain(error)
    if known is None:
        print(
            f"error: {type(error).__name__}: {error}\n  This is a mistake in Ingot. Run the command again "
            "with --debug for the stack trace, and report it.",
            file=sys.stderr,
        )
        return 1
    if "--json" in sys.argv:
        body = {"error": known.message, "code": known.code, "hint": known.hint}
        print(json.dumps(body), file=sys.stderr)
    else:
        print(f"error: {known}", file=sys.stderr)
    return known.exit_code


def explain(error: BaseException) -> IngotError | None:
    """The error as one that a person can act on, or None where it is a bug of ours."""
    if isinstance(error, IngotError):
        return error
    if isinstance(error, OSError) and error.errno is not None:
        if error.errno == errno.EADDRINUSE:
            return UsageError(str(error), hint="Choose another with --port.")
        what = _DISK.get(error.errno, error.strerror)
        where = f": {error.filename}" if error.filename else ""
        return IngotError(f"{what}{where}.", hint="Nothing was published; main is as it was.")
    if type(error).__name__ == "OperationalError" or "IOException" in type(error).__name__:
        return _storage_error(str(error))
    return None


_SIGNS = {
    "No space left": "The disk is full",
    "disk is full": "The disk is full",
    "disk I/O error": "The disk is full or failing",
    "readonly database": "The folder is read-only",
    "Read-only file system": "The folder is read-only",
    "unable to open database": "The state database cannot be opened",
    "database is locked": "Another process holds the state database",
}


def _storage_error(text: str) -> IngotError | None:
    """What SQLite and DuckDB say of a disk that does not take what they write."""
    for sign, what in _SIGNS.items():
        if sign in text:
            hint = "Nothing was published; main is as it was. Make room or mend the folder, and run again."
            return IngotError(f"{what}: {text.splitlines()[0]}.", hint=hint)
    return None
