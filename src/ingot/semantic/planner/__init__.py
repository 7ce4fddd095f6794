"""Query -> SQL: pure passes from the names in a question to the text that an engine runs."""
