"""The refusal to translate."""


class Untranslatable(Exception):  # noqa: N818 - an answer to a question, caught where it is asked
    """What in a query has no sure counterpart in the other dialect; always caught inside the lake."""
