"""Random templates: each line of the output leads back to its line, and nothing but a problem comes of nonsense."""

import re
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingot.project import ProjectError, load
from ingot.project.problem import Problem
from ingot.project.rendering.compile_context import Reads
from ingot.project.rendering.templates import Templates

QUICK = settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
SPACE = st.sampled_from(["", "-"])


@st.composite
def blocks(draw: st.DrawFn, depth: int = 0) -> list[str]:
    """Lines of a template; `@` stands where a line that must be found again says its number."""
    lines: list[str] = []
    for _ in range(draw(st.integers(1, 4))):
        kind = draw(
            st.sampled_from(
                ["text", "text", "value", "for", "if", "set", "comment", "call", "long", "filter"]
            )
        )
        left, right = draw(SPACE), draw(SPACE)
        indent = " " * draw(st.integers(0, 4))
        if kind == "text" or (depth > 2 and kind in ("for", "if", "call", "filter")):
            lines.append(f"{indent}@ text")
        elif kind == "value":
            lines.append(f"{indent}@ {{{{ 'v' ~ 1 }}}} and {{{{ none }}}}")
        elif kind == "for":
            lines += [
                f"{indent}{{%{left} for x in range({draw(st.integers(0, 3))}) {right}%}}",
                *draw(blocks(depth + 1)),
            ]
            lines.append(f"{{%{left} endfor {right}%}}")
        elif kind == "if":
            lines += [
                f"{{%{left} if {draw(st.booleans())} {right}%}}",
                *draw(blocks(depth + 1)),
                "{% else %}",
            ]
            lines += [*draw(blocks(depth + 1)), "{% endif %}"]
        elif kind == "set":
            lines += [f"{{%{left} set y = ['a',", f"  'b'] {right}%}}"]
        elif kind == "comment":
            lines += [f"{{#{left} one", f" two {right}#}}"]
        elif kind == "long":
            lines += ["@ {{ 'a' ~", "   'b' }} @"]
        elif kind == "call":
            name = f"m{len(lines)}_{depth}"
            lines += [
                f"{{% macro {name}() {right}%}}",
                *draw(blocks(depth + 1)),
                "{% endmacro %}",
                f"@ {{{{ {name}() }}}}",
            ]
        else:
            lines += ["{% filter indent(2) %}", *draw(blocks(depth + 1)), "{% endfilter %}"]
    return lines


@QUICK
@given(blocks())
def test_every_line_of_the_output_leads_back_to_the_line_that_it_came_from(
    tmp_path: Path, lines: list[str]
) -> None:
    numbered = [line.replace("@", f"L{n}", 1) for n, line in enumerate(lines, 1)]
    problems: list[Problem] = []
    made = Templates(tmp_path, "semantic").render("a.yml", "\n".join(numbered), {}, Reads(), problems)
    assert problems == []
    assert made is not None
    for number, line in enumerate(made.text.split("\n"), 1):
        found = re.search(r"L(\d+)", line)
        # What begins a line is what the line is found by; blocks without white space put several lines into one.
        if found and not line[: found.start()].strip():
            assert made.where((number, 1))[0] == int(found.group(1)), made.text


PIECES = st.sampled_from(
    [
        "{% for x in range(9) %}", "{% endfor %}", "{{ x }}", "{{", "}}", "{%", "%}", "{#", "#}", "{% if x %}", "{% endif %}",
        "{% macro m(a) %}", "{% endmacro %}", "{{ m(1) }}", "{% import 'a.yml' as a %}", "{% include 'a.yml' %}", "cubes:\n",
        "  - name: a\n", "    sql_table: t\n", "{{ COMPILE_CONTEXT }}", "{{ COMPILE_CONTEXT.a.b.c }}", "{{ [1] * 99 }}", "\u1680", "\u2001",
        "{% set x %}", "{% endset %}", "{{ x.y.z }}", "{{ x | tojson }}", "{% extends 'a.yml' %}", "{% block b %}", "{% endblock %}",
        "{% raw %}", "{% endraw %}", "{{ ().__class__.__mro__ }}", "${HOME}", "\r\n", "\t", "\x00", "&a", "*a", "'", '"', "{{ 1/0 }}",
        "{{ range(10**9) }}", "{% do x %}", "{% break %}", "{{ self }}", "{{ loop }}", "{{ caller() }}", "{{ namespace }}", "{{ x | map('y') | list }}",
    ]
)  # fmt: skip


@QUICK
@given(st.lists(PIECES | st.text(max_size=5), max_size=12).map("".join))
def test_any_template_is_a_model_or_a_list_of_problems_with_places(tmp_path: Path, text: str) -> None:
    (tmp_path / "ingot.yml").write_text("")
    (tmp_path / "semantic").mkdir(exist_ok=True)
    (tmp_path / "semantic" / "a.yml").write_bytes(text.encode("utf-8", "surrogatepass"))
    try:
        load(tmp_path, environ={"HOME": "s3cret"})
    except ProjectError as error:
        for one in error.problems:
            assert one.place.file == "semantic/a.yml"
            assert one.place.line <= len(re.split("\r\n|\r|\n|\x85|\u2028|\u2029", text)) + 1
            assert "s3cret" not in str(one)
