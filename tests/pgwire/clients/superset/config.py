"""What Superset is told in the tests: its own state is one file, which INGOT_SUPERSET_STATE names."""

import os

SECRET_KEY = "only for tests, on this machine, for a minute"
SQLALCHEMY_DATABASE_URI = f"sqlite:///{os.environ['INGOT_SUPERSET_STATE']}"
WTF_CSRF_ENABLED = False
TALISMAN_ENABLED = False
