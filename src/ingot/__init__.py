"""Ingot: from raw data to answers that can be trusted, in one package.

Importing this costs nothing: every room is imported where it is used.
"""

__version__ = "0.1.0"
