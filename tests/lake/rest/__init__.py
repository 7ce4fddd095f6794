"""Tests of the Iceberg REST server, with real clients."""
