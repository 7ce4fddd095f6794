"""Processes that are killed or race each other, and what must be true of the lake afterwards."""
