"""The forms of PostgreSQL's expressions, a file for each family; each registers what it writes in `writers`."""
