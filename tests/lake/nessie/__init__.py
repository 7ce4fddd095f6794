"""Tests of the Nessie API."""
