"""Values on the wire: rows of Arrow as DataRow messages, column by column, and parameters as typed literals.

`encoder` puts rows together; `text` and `binary` write columns, `casts` first makes them what the field says;
`stream` runs a query of DuckDB and gives its rows as they are asked for; `parameters` and `literals` read what
clients send. Which type a column has is known in `ingot.pgwire.types`.
"""
