"""Maintenance of the lake."""
