"""All that a catalog remembers, read at one moment, and refs held still: the queries behind maintenance."""

from sqlalchemy import Connection, func, select, text

from ingot.lake.catalog import records, refs, schema
from ingot.lake.inventory import Inventory, Move, Recorded
from ingot.lake.model import ROOT_HASH, Put


def take(tx: Connection, mark: int) -> Inventory:
    """Refs, commits and moves, as one transaction sees them; `mark` is a move that it is sure to see."""
    return Inventory(mark, tuple(refs.every(tx)), _commits(tx), _moves(tx))


def mark(tx: Connection) -> int:
    """The last move of a ref: every later one has a greater number.

    In PostgreSQL a smaller number may become visible after a greater one, unless nobody is between the two.
    """
    hold_still(tx)
    return int(tx.execute(select(func.max(schema.moves.c.id))).scalar() or 0)


def moved_since(tx: Connection, mark: int) -> list[str]:
    """The commits that refs were pointed at after `mark`."""
    table = schema.moves.c
    found = tx.execute(
        select(table.hash).where(table.id > mark, table.hash.is_not(None), table.hash != ROOT_HASH)
    )
    return sorted({row.hash for row in found})


def hold_still(tx: Connection) -> None:
    """Lets no ref move before the transaction ends."""
    if tx.dialect.name == "postgresql":
        # SQLite's writers take turns anyway; here nobody may move a ref meanwhile.
        tx.execute(text(f"LOCK TABLE {schema.moves.name} IN SHARE MODE"))


def _commits(tx: Connection) -> dict[str, Recorded]:
    table = schema.commits.c
    rows = tx.execute(select(table.hash, table.parent, table.merged, table.committed_at, table.operations))
    found = {}
    for row in rows:
        parents = (row.parent,) if row.merged is None else (row.parent, row.merged)
        puts = tuple(one for one in records.operations_of(row.operations) if isinstance(one, Put))
        found[row.hash] = Recorded(parents, records.moment(row.committed_at), puts)
    return found


def _moves(tx: Connection) -> tuple[Move, ...]:
    table = schema.moves.c
    query = select(table.name, table.hash, table.moved_at).order_by(table.moved_at, table.id)
    return tuple(Move(row.name, row.hash, records.moment(row.moved_at)) for row in tx.execute(query))
