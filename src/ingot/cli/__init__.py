"""The command line: says what was asked, asks the rooms below, prints what they answer.

Holds no rules of its own. Exit codes: 0, 1 (the data or the run failed), 2 (the command or the project's
files are wrong).
"""

import sys


def main() -> None:
    """Runs the command line and exits with its code."""
    from ingot.cli.app import app
    from ingot.cli.failures import report

    # Anywhere on the line: who sees an error adds it at the end of the command.
    arguments = [argument for argument in sys.argv[1:] if argument != "--debug"]
    debug = len(arguments) < len(sys.argv) - 1
    try:
        code = app(arguments, standalone_mode=False)
    except SystemExit:
        raise
    except BaseException as error:  # noqa: BLE001 - the process boundary: each failure is one message and a code
        code = report(error, debug=debug)
    sys.exit(code)
