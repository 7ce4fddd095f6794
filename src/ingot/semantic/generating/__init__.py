"""A first model of tables that have none: what dbt says of them, what their data shows, and what names suggest.

`facts` collects what is known of each table, `keys` looks into the data for keys and references, and `cubes`
turns the facts into cubes. Nothing is guessed that the data contradicts.
"""
