"""Rollups: answers to future questions, stored as Parquet files that are never out of date.

`declare` compiles the `pre_aggregations` of cubes, `match` decides whether one can answer a fact and says why
not, `build` writes what is missing at a state of the lake, `stored` reads it in place of the cubes' tables.
`Rollups` is all of it for one project. A file is named by what it was made from, so that it never has to
be invalidated, and branches with the same rows share it.
"""
