"""PostgreSQL's wire protocol: every client and BI tool connects as to PostgreSQL and asks metrics or tables.

The protocol (`server`, `connection`, `session`), who may connect (`scram`, `tls`), values on the wire (`values`),
the catalog that tools look around in (`catalog`: a shadow PostgreSQL with empty tables), and the sources that
answer (`ports` is the seam). What a statement means, and who may see what, is decided in `semantic`.
"""
