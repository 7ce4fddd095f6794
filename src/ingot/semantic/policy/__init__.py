"""Who may see what: `access_policy` of cubes and views, enforced between a query's names and its plan.

`compile` turns what the files say into `Policies`. For each asker, `seen` is the model with only the members
that he may ask for, masked where a policy says so, and `rows` adds the conditions on the rows that he may see.
`apply` does both for one query. Whatever a policy hides is, to the asker, not there.
"""
