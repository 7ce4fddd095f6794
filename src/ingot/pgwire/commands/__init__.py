"""Statements that the session itself answers: transactions, settings, cursors, prepared statements, COPY.

`recognise` says which of them a statement is; everything else goes to the session's source.
"""

from ingot.pgwire.commands.recognise import recognise

__all__ = ["recognise"]
