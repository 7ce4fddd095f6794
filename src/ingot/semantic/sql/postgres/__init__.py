"""PostgreSQL's language in the engine's words: types, casts, operators and functions with PostgreSQL's meaning.

A statement is read by `dialect.Language` (through `ingot.semantic.sql.parsing.parsed`), so that calls keep their
names. `writing.Writing(clock, columns)` writes an expression anew: `columns(node)` tells the type of a column
(`kinds.from_engine` gives it for a type of the engine), `output(node)` gives the tree for the engine and its type.
Types are learned from the leaves up: literals have PostgreSQL's, columns what `columns` says, calls what their
signature gives. A part that has no known type (`kinds.ANY`) is left as it is.
`forms` writes what the parser has a node for (operators, CASE, calls, windows); `calls` is the registry of functions
and aggregates, which `numbers`, `strings`, `patterns`, `times`, `arrays` and `aggregates` fill.
Whole SELECTs over tables with known columns: `ingot.semantic.sql.rows.outer.Outer`, which the model's own use, too.
"""
