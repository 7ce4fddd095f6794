"""Model files that are Jinja templates -> YAML text that knows which line of the template it came from.

`Templates` renders the files of one semantic folder: in a sandbox, with the project's own Python
(`globals.py`), macros from files of the same folder, and a `COMPILE_CONTEXT` that notes what was read of it.
Jinja is loaded with the first template: a project without one does not pay for it.
"""
