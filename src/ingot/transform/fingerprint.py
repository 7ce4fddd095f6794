"""One short text that changes where a build of a dbt project could give another result from the same data.

dbt is not imported for it: a run with nothing to do takes milliseconds.
"""

import hashlib
import json
import os
import re
from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

from ingot.transform.dbt_files import DbtFiles

_ENV_VAR = re.compile(rb"""env_var\s*\(\s*['"]([A-Za-z_][A-Za-z0-9_]*)['"]""")
_DISTRIBUTIONS = ("ingot", "dbt-core", "dbt-duckdb", "duckdb")


def fingerprint(files: DbtFiles, variables: Mapping[str, Any], target: str) -> str:
    """A digest of the project's files, its variables, the environment that it asks for, and versions.

    Args:
        files: the dbt project.
        variables: dbt variables set from outside.
        target: name of the dbt target, which models may ask for.
    """
    digest = hashlib.blake2b(digest_size=16)
    asked: set[str] = set()
    for file in files.files():
        content = file.read_bytes()
        asked.update(name.decode() for name in _ENV_VAR.findall(content))
        name = os.path.relpath(file, files.root).encode(errors="surrogateescape")
        digest.update(b"%d:%s%d:" % (len(name), name, len(content)))
        digest.update(content)
    rest = {
        "environment": {name: os.environ.get(name) for name in sorted(asked)},
        "target": target,
        "variables": variables,
        "versions": {name: version(name) for name in _DISTRIBUTIONS},
    }
    digest.update(json.dumps(rest, sort_keys=True, default=str).encode())
    return digest.hexdigest()
