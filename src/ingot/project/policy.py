"""Who may see which members and rows of a cube or view."""

from typing import ClassVar, Literal

from pydantic import Field

from ingot.project.member import Filter
from ingot.project.spec import Some, Spec, Word


class Condition(Spec):
    """When a policy applies."""

    kind: ClassVar[str] = "condition"

    if_: Word | bool = Field(alias="if", description="An expression over the security context.")


class Members(Spec):
    """Members by name."""

    kind: ClassVar[str] = "members"

    includes: Literal["*"] | Some[Word] = Field("*", description="'*' or the members.")
    excludes: Literal["*"] | Some[Word] = Field((), description="'*' or the members left out.")


class RowLevel(Spec):
    """Rows by conditions."""

    kind: ClassVar[str] = "row_level"

    filters: tuple[Filter, ...] = Field((), description="Conditions that visible rows fulfil.")
    allow_all: bool = Field(False, description="Whether all rows are visible.")


class Policy(Spec):
    """What members of some groups may see."""

    kind: ClassVar[str] = "policy"

    group: Word | None = Field(None, description="The group that it is for; '*' for everybody.")
    groups: Some[Word] = Field((), description="The groups that it is for.")
    role: Word | None = Field(None, description="Older name of group.")
    conditions: tuple[Condition, ...] = Field((), description="When it applies.")
    member_level: Members | None = Field(None, description="The members that may be seen.")
    row_level: RowLevel | None = Field(None, description="The rows that may be seen.")
    member_masking: Members | None = Field(None, description="The members that are masked.")
