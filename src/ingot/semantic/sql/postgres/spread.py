"""Functions that give rows among the columns of a grouped SELECT: they move to FROM, where groups can be made of them."""

from sqlglot import exp

_ROWS = frozenset({"unnest", "generate_series"})


def grouped_by_rows(query: exp.Expr) -> exp.Expr:
    """`SELECT unnest(a) … GROUP BY 1` with what makes the rows in FROM, where groups can be made of them."""
    group, source = query.args.get("group"), query.args.get("from_")
    made = [
        one for each in query.expressions if isinstance(query, exp.Select) for one in each.find_all(exp.Anonymous)
        if str(one.this).lower() in _ROWS and one.find_ancestor(exp.Query) is query
    ]  # fmt: skip
    if group is None or source is None or len(set(made)) != 1:
        return query
    rows_of = made[0].copy()
    bare = [each.unalias() for each in query.expressions]
    keys = [
        bare[int(key.name) - 1]
        if isinstance(key, exp.Literal) and key.name.isdigit() and 0 < int(key.name) <= len(bare)
        else next((each.this for each in query.expressions if each.alias == key.sql()), key)
        for key in group.expressions
    ]
    if not any(one == rows_of for key in keys for one in key.walk()):
        return query
    name = str(rows_of.this).lower()
    column = exp.column("value", table=f"#{name}", quoted=True)
    for part in (*query.expressions, group, query.args.get("order"), query.args.get("having")):
        for one in list(part.find_all(exp.Anonymous)) if part is not None else ():
            if one == rows_of:
                new: exp.Expr = column.copy()
                if one.parent is query:  # the column keeps the name of the function
                    new = exp.alias_(new, name)
                one.replace(new)
    alias = exp.TableAlias(
        this=exp.to_identifier(f"#{name}", quoted=True), columns=[exp.to_identifier("value")]
    )
    lateral = exp.Lateral(this=rows_of, alias=alias)
    query.append("joins", exp.Join(this=lateral, kind="CROSS"))
    return query
