"""SQL over cubes and views, as in Cube's SQL API: PostgreSQL's language, the model's numbers.

Each SELECT over the model becomes a query like any other (hooks, policies, rollups), written as a derived table;
what stands around it runs on its rows in the same statement. Nothing that people write is pasted into a
statement: it is parsed, checked against lists of what is allowed, and written anew.

`parsing` reads a text, `allowed` checks it, `translating` decides SELECT by SELECT: `questions/` are over the model, `rows/`
over tables, sub-queries and what the model answered; `postgres/` gives expressions PostgreSQL's meaning. `planning` is one
statement from text to plan, `statements` keeps plans.
"""
