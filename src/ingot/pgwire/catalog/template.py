"""The template of clusters: made once for a version of PostgreSQL and kept; copying it takes a tenth of the time."""

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

from ingot.pgwire.catalog.hardening import ACCESS, OWNER, SETTINGS, SINCE_18, STATEMENTS
from ingot.pgwire.catalog.users import Unprivileged
from ingot.pgwire.catalog.wheel import Programs


class ClusterError(Exception):
    """PostgreSQL could not be made or started; the text says why."""


def template(programs: Programs, folder: Path, work: Path, user: Unprivileged) -> Path:
    """The template under `folder`, made in `work` where it is not there. Raises `ClusterError`."""
    settings = SETTINGS + (SINCE_18 if programs.major >= 18 else "")
    digest = hashlib.sha256("\n".join((settings, ACCESS, *STATEMENTS)).encode()).hexdigest()[:12]
    kept = folder / f"postgres-{programs.version}-{digest}"
    if kept.is_dir():
        return kept
    made = work / "template"
    try:
        made.mkdir(mode=0o700)
        user.own(made)
        _make(programs, made, user, settings)
        folder.mkdir(parents=True, exist_ok=True)
        _keep(made, kept, folder)
    except OSError as error:
        raise ClusterError(f"the template of the catalog could not be written: {error}") from error
    finally:
        shutil.rmtree(made, ignore_errors=True)
    return kept


def copy(kept: Path, to: Path, user: Unprivileged) -> None:
    """A cluster like the template. Raises `OSError`."""
    shutil.copytree(kept, to, copy_function=shutil.copyfile)
    for name, _, files in os.walk(to):
        Path(name).chmod(0o700)
        user.own(Path(name))
        for each in files:
            path = Path(name, each)
            path.chmod(0o600)
            user.own(path)


def _make(programs: Programs, made: Path, user: Unprivileged, settings: str) -> None:
    locales: list[tuple[str, ...]] = (
        [("--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8")]
        if programs.major >= 17
        else [("--locale=C.UTF-8",), ("--locale=C",)]  # not every system has the first
    )
    for locale in locales:
        command = [
            programs.path("initdb"),
            "-D",
            str(made),
            "-U",
            OWNER,
            "-A",
            "trust",
            "-E",
            "UTF8",
            *locale,
        ]
        try:
            _run(user.named([*command, "--no-sync", "--no-instructions", "--wal-segsize=1"], made))
        except ClusterError:
            if locale is locales[-1]:
                raise
        else:
            break
    (made / "postgresql.conf").write_text(settings, encoding="utf-8")
    (made / "pg_hba.conf").write_text(ACCESS, encoding="utf-8")
    single = [programs.path("postgres"), "--single", "-D", str(made), "-F"]
    single += ["-c", "exit_on_error=on", "-c", "allow_system_table_mods=on"]
    single += ["-c", "default_transaction_read_only=off", "-c", "log_min_messages=warning", "template1"]
    _run(user.named(single, made), "".join(f"{one}\n" for one in STATEMENTS))
    _run(user.named([programs.path("pg_resetwal"), "-D", str(made)], made))


def _run(command: list[str], text: str = "") -> None:
    try:
        subprocess.run(  # noqa: S603 - our own commands
            command, input=text, capture_output=True, text=True, timeout=120, check=True, cwd="/"
        )
    except subprocess.CalledProcessError as error:
        said = (error.stderr or error.stdout or "").strip().splitlines()
        raise ClusterError(f"PostgreSQL could not be set up: {said[-1] if said else error}") from error
    except (OSError, subprocess.SubprocessError) as error:
        raise ClusterError(f"PostgreSQL could not be set up: {error}") from error


def _keep(made: Path, kept: Path, folder: Path) -> None:
    """The finished template in its place at once: another server may do the same at the same time."""
    part = folder / f".{kept.name}-{os.getpid()}"
    shutil.rmtree(part, ignore_errors=True)
    shutil.copytree(made, part, copy_function=shutil.copyfile)
    try:
        part.rename(kept)
    except OSError:
        shutil.rmtree(part, ignore_errors=True)
        if not kept.is_dir():
            raise
    for old in folder.glob("postgres-*"):
        if old != kept:
            shutil.rmtree(old, ignore_errors=True)
