"""Tests of the metadata engine."""
