"""SQL over cubes and views, as in Cube's SQL API: PostgreSQL's language, the model's numbers.

Each SELECT over the model becomes a query like any other (hooks, policies, rollups), written as a derived table;
what stands around it runs on its rows in the same statement. Nothing that people write is pasted into a
statement: it is parsed, checked against lists of what is allowed, and written anew.
"""
