"""Model files that are Jinja templates: what they can use, where their mistakes are, and what ends them."""

import subprocess
import sys
from pathlib import Path

import pytest

from ingot.project import ModelFiles, Project, load
from ingot.project.loading import for_context
from ingot.project.rendering.compile_context import Reads
from ingot.project.rendering.lines import lines_of, marked

from .conftest import Folder

LOOP = """cubes:
  - name: orders
    sql_table: gold.orders
    measures:
{%- for name in ["paid", "open", "lost"] %}
      - name: {{ name }}_count
        type: count
        filters:
          - sql: "{CUBE}.status = '{{ name }}'"
{%- endfor %}
"""


def cube_of(folder: Folder, text: str, file: str = "semantic/cubes/orders.yml") -> Project:
    folder.write(file, text)
    return folder.load()


def test_a_loop_makes_members(folder: Folder) -> None:
    (cube,) = cube_of(folder, LOOP).cubes
    assert [one.name for one in cube.measures] == ["paid_count", "open_count", "lost_count"]
    assert [one.filters[0].sql for one in cube.measures] == [
        "{CUBE}.status = 'paid'", "{CUBE}.status = 'open'", "{CUBE}.status = 'lost'",
    ]  # fmt: skip
    assert {str(one.place) for one in cube.measures} == {"semantic/cubes/orders.yml:6:9"}


def test_files_that_end_in_jinja_are_model_files(folder: Folder) -> None:
    (cube,) = cube_of(folder, LOOP, "semantic/cubes/orders.yml.jinja").cubes
    assert cube.name == "orders"
    assert str(cube.measures[0].place) == "semantic/cubes/orders.yml.jinja:6:9"


def test_macros_come_from_files_below_the_folder(folder: Folder) -> None:
    folder.write(
        "semantic/macros/money.jinja",
        "{% macro total(column) -%}\n{name: total_{{ column }}, type: sum, sql: {{ column }}}\n{%- endmacro %}",
    )
    folder.write("semantic/cubes/beside.jinja", "- {name: rows, type: count}")
    (cube,) = cube_of(
        folder,
        '{% import "/macros/money.jinja" as money %}\n'
        '{% from "macros/money.jinja" import total %}\n'
        "cubes:\n  - name: orders\n    sql_table: gold.orders\n    measures:\n"
        '      - {{ money.total("price") }}\n      - {{ total("tax") }}\n      {% include "beside.jinja" %}\n',
    ).cubes
    assert [(one.name, one.type) for one in cube.measures] == [
        ("total_price", "sum"), ("total_tax", "sum"), ("rows", "count"),
    ]  # fmt: skip
    assert [one.place.line for one in cube.measures] == [7, 8, 9]
    assert {path.name for path in folder.load().files} >= {"money.jinja", "beside.jinja"}


def test_globals_py_gives_functions_filters_and_variables(folder: Folder) -> None:
    folder.write("semantic/names.py", "PREFIX = 'gold'\n")
    folder.write(
        "semantic/globals.py",
        """
from ingot.model import TemplateContext
import names

template = TemplateContext()

@template.function("measures")
def some(*columns):
    return [{"name": c, "type": "sum", "sql": c} for c in columns]

@template.filter
def shout(text):
    return text.upper()

@template.variable("layer")
def of_layer():
    return names.PREFIX

template.add_function("twice", lambda n: n * 2)
template.add_variable("empty", None)
""",
    )
    (cube,) = cube_of(
        folder,
        "cubes:\n  - name: orders\n    sql_table: {{ layer }}.orders\n    title: {{ 'orders' | shout }} {{ twice(21) }}\n"
        "    description: {{ empty }}\n    public: {{ 1 == 1 }}\n    measures: {{ measures('price', 'tax') }}\n",
    ).cubes
    assert (cube.sql_table, cube.title, cube.description, cube.public) == (
        "gold.orders",
        "ORDERS 42",
        None,
        True,
    )
    assert [one.name for one in cube.measures] == ["price", "tax"]


def test_a_globals_py_that_was_written_for_cube_works(folder: Folder) -> None:
    folder.write(
        "semantic/globals.py",
        "from cube import TemplateContext, SafeString\ntemplate = TemplateContext()\n"
        "@template.function('table')\ndef table(name: str) -> SafeString:\n    return SafeString('gold.' + name)\n",
    )
    (cube,) = cube_of(folder, "cubes: [{name: orders, sql_table: {{ table('orders') | safe }}}]").cubes
    assert cube.sql_table == "gold.orders"
    with pytest.raises(ModuleNotFoundError):
        __import__("cube")


def test_globals_py_does_not_run_where_no_file_is_a_template(folder: Folder) -> None:
    folder.write("semantic/globals.py", "raise SystemError('ran')")
    assert len(cube_of(folder, "cubes: [{name: orders, sql_table: gold.orders}]").cubes) == 1


def test_variables_of_the_environment_are_filled_after_templates_and_stay_hidden(folder: Folder) -> None:
    folder.write("semantic/a.yml", "cubes: [{name: {{ 'orders' }}, sql_table: '${SCHEMA}.orders'}]")
    (cube,) = folder.load(environ={"SCHEMA": "s3cret"}).cubes
    assert cube.sql_table == "s3cret.orders"
    assert "s3cret" not in repr(cube)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("cubes:\n{% for x in y %}\n", "semantic/a.yml:2:1: Jinja: Unexpected end of template"),
        ("cubes:\n\n{{ nme }}\n", "semantic/a.yml:3:1: Jinja: 'nme' is undefined"),
        ("# a\n# b\ncubes: [{name: {{ layr }}, sql_table: x}]", "semantic/a.yml:3:1: Jinja: 'layr' is undefined; did you mean 'layer'?"),
        ("cubes:\n{% for x in nothing %}\n{% endfor %}", "semantic/a.yml:2:1: Jinja: 'nothing' is undefined"),
        ("a: 1\n{% include 'gone.jinja' %}", "semantic/a.yml:2:1: Jinja: there is no file 'gone.jinja' (expected a file below semantic)"),
        ("a: 1\n{% include '../ingot.yml' %}", "semantic/a.yml:2:1: Jinja: there is no file '../ingot.yml'"),
        ("a: 1\n{% include '/etc/passwd' %}", "semantic/a.yml:2:1: Jinja: there is no file 'etc/passwd'"),
        ("{% set a = 1 %}\nb: {{ fail('why') }}", "semantic/a.yml:2:1: Jinja: ValueError: why (in semantic/globals.py:8)"),
        ("{{ COMPILE_CONTEXT.securityContext.tenant }}", "semantic/a.yml:1:1: Jinja: there is no 'tenant' in the COMPILE_CONTEXT"),
        ("{{ ''.__class__ }}", "semantic/a.yml:1:1: Jinja: access to attribute '__class__' of 'str' object is unsafe."),
        ("x: {{ [].append(1) }}", "semantic/a.yml:1:1: Jinja: access to attribute 'append' of 'list' object is unsafe."),
        ("{% for i in range(100001) %}{% endfor %}", "semantic/a.yml:1:1: Jinja: OverflowError: Range too big."),
        ("{% for i in range(2000) %}{% for j in range(2000) %}{% endfor %}{% endfor %}", "semantic/a.yml:1:1: Jinja: the template takes more than 20,000 steps"),
        ("{% macro m(n) %}{{ m(n) }}{% endmacro %}{{ m(1) }}", "semantic/a.yml:1:1: Jinja: the template calls itself without an end"),
        ("{% macro m(n) %}{% if n %}{{ m(n-1) }}{{ m(n-1) }}{% endif %}{% endmacro %}{{ m(30) }}", "semantic/a.yml:1:1: Jinja: the template takes more than 20,000 steps"),
        ("{{ 'a' * 3000000 }}", "semantic/a.yml:1:1: Jinja: the template makes text of more than 2,000,000 characters"),
        ("{{ 10 ** 10 ** 10 }}", "semantic/a.yml:1:1: Jinja: this power is too large"),
        ("{% set n = namespace(x='abcdefgh') %}{% for i in range(99) %}{% set n.x = n.x ~ n.x %}{% endfor %}", "semantic/a.yml:1:1: Jinja: the template makes text of more than"),
        ("{{ 'a' | center(999999999) }}", "semantic/a.yml:1:1: Jinja: this number is too large for a filter"),
        ("{{ 'a'.ljust(999999999) }}", "semantic/a.yml:1:1: Jinja: the template makes text of more than"),
        ("{{ '%999999999d' % 1 }}", "semantic/a.yml:1:1: Jinja: this format is too wide"),
        ("{{ '{:999999999}'.format(1) }}", "semantic/a.yml:1:1: Jinja: this format is too wide"),
        ("{% for i in range(9999) %}{{ 300 * 'abcdefghijklmnopqrstuvwxyz' }}{% endfor %}", "semantic/a.yml:1:1: Jinja: the template makes more than 2,000,000 characters"),
        # What the text is once it is made: YAML and the model's grammar, at the line of the template.
        ("{% set x = 1 %}\ncubes:\n  - name: a\n   sql_table: {{ x }}\n", "semantic/a.yml:4:4: YAML:"),
        ("{#- one\ntwo -#}\ncubes:\n{%- for x in ['p', 'q'] %}\n  - name: {{ x }}\n    sql_tabel: {{ x }}\n{%- endfor %}\n", "semantic/a.yml:5:5: cube 'p' has neither"),
        ("{%- set lines = 'cubes:\\n- name: a\\n  sql_table: b\\n  tilte: c' -%}\n{{ lines }}\n", "semantic/a.yml:2:1: unknown key 'tilte'"),
    ],
)  # fmt: skip
def test_a_mistake_has_the_line_of_the_template(
    folder: Folder, monkeypatch: pytest.MonkeyPatch, text: str, expected: str
) -> None:
    monkeypatch.setattr("ingot.project.rendering.sandbox.MAX_STEPS", 20_000)
    folder.write(
        "semantic/globals.py",
        "from ingot.model import TemplateContext\ntemplate = TemplateContext()\n"
        "template.add_variable('layer', 'gold')\n\n@template.function\n"
        "def fail(text):\n    'Fails.'\n    raise ValueError(text)\n",
    )
    folder.write("semantic/a.yml", text)
    said = folder.problems()
    assert any(one.startswith(expected) for one in said), said


def test_a_mistake_in_a_macro_stands_at_the_macros_line(folder: Folder) -> None:
    folder.write("semantic/m.jinja", "{% macro m() %}\n\n  {{ gone }}\n{% endmacro %}")
    folder.write("semantic/a.yml", "{% import 'm.jinja' as m %}\n{{ m.m() }}")
    assert folder.problems() == ["semantic/m.jinja:3:1: Jinja: 'gone' is undefined"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("import nothing_of_this_name", "semantic/globals.py:1:1: ModuleNotFoundError: No module named 'nothing_of_this_name'"),
        ("def f(:\n", "semantic/globals.py:1:7: Python: invalid syntax"),
        ("\n\nx = 1 / 0", "semantic/globals.py:3:1: ZeroDivisionError: division by zero"),
        ("from cube import TemplateContext\nTemplateContext().add_filter('a', 1)", "semantic/globals.py:2:1: TypeError: what is registered as 'a' cannot be called"),
    ],
)  # fmt: skip
def test_a_mistake_in_globals_py_is_one_problem_at_its_line(folder: Folder, text: str, expected: str) -> None:
    folder.write("semantic/globals.py", text)
    folder.write("semantic/a.yml", "{{ anything }}")
    folder.write("semantic/b.yml", "{{ anything }}")
    (said,) = folder.problems()
    assert said.startswith(expected)


TENANTS = """cubes:
  - name: orders
    sql_table: {{ COMPILE_CONTEXT.securityContext.schema }}.orders
{% if COMPILE_CONTEXT.security_context.is_admin %}
    measures: [{name: cost, type: sum, sql: cost}]
{% endif %}
"""


def test_each_security_context_has_its_own_cubes_and_says_what_it_read(folder: Folder) -> None:
    folder.write("ingot.yml", "semantic: {compile_context: {schema: gold}}")
    folder.write("semantic/plain.yml", "cubes: [{name: plain, sql_table: t}]")
    project = cube_of(folder, TENANTS)
    assert [cube.sql_table for cube in project.cubes] == ["gold.orders", "t"]
    reads = Reads()
    made = for_context(project, {"schema": "a", "is_admin": True, "user": 7}, reads)
    assert made.cubes[0].sql_table == "a.orders"
    assert [one.name for one in made.cubes[0].measures] == ["cost"]
    assert made.cubes[1] is project.cubes[1]
    assert {path for path, _ in reads.paths} == {("schema",), ("is_admin",)}
    other = for_context(project, {"schema": "b"}, Reads())
    assert (other.cubes[0].sql_table, other.cubes[0].measures) == ("b.orders", ())


def test_another_context_is_made_of_what_was_read_not_of_what_the_files_are_now(folder: Folder) -> None:
    folder.write("ingot.yml", "semantic: {compile_context: {schema: gold}}")
    folder.write("semantic/m.jinja", "{% macro t(s) %}{{ s }}.orders{% endmacro %}")
    text = "{% import 'm.jinja' as m %}cubes: [{name: a, sql_table: {{ m.t(COMPILE_CONTEXT.schema) }}}]"
    project = cube_of(folder, text)
    folder.write("semantic/m.jinja", "{% broken")
    folder.write("semantic/cubes/orders.yml", "{{ broken")
    made = for_context(project, {"schema": "x"}, Reads())
    assert made.cubes[0].sql_table == "x.orders"


@pytest.mark.parametrize("value", ["a\n    sql: select 1", "a\u2028b", "a\x00"])
def test_a_value_of_the_context_cannot_start_a_line(folder: Folder, value: str) -> None:
    folder.write("ingot.yml", "semantic: {compile_context: {schema: gold}}")
    project = cube_of(folder, TENANTS)
    with pytest.raises(Exception, match=r"COMPILE_CONTEXT.schema holds a line break"):
        for_context(project, {"schema": value}, Reads())


def test_a_value_of_the_context_cannot_read_the_environment(folder: Folder) -> None:
    folder.write("ingot.yml", "semantic: {compile_context: {schema: gold}}")
    folder.write("semantic/a.yml", TENANTS)
    project = folder.load(environ={"SECRET": "s3cret"})
    made = for_context(project, {"schema": "${SECRET}"}, Reads())
    assert made.cubes[0].sql_table == "${SECRET}.orders"


def test_files_without_templates_do_not_load_jinja(tmp_path: Path) -> None:
    (tmp_path / "ingot.yml").write_text("")
    (tmp_path / "semantic").mkdir()
    (tmp_path / "semantic" / "a.yml").write_text("cubes: [{name: a, sql_table: b, sql_alias: x}]")
    script = (
        "import sys; from ingot.project import load; load(sys.argv[1]);"
        "print([m for m in sys.modules if m.startswith('jinja2')])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_a_template_that_looks_at_its_own_text_is_not_changed_by_marks(folder: Folder) -> None:
    (cube,) = cube_of(
        folder,
        "{% macro m() %}\nabc\n{% endmacro %}\ncubes:\n  - name: a\n    sql_table: t\n"
        "    description: '{{ m() | length }}'\n    title: {{ m() | trim }}\n",
    ).cubes
    assert (cube.description, cube.title) == ("5", "abc")
    assert cube.place_of("title").line == 8


def test_lines_are_found_by_marks_and_without_them_by_text() -> None:
    source = "a\nb\n{{ x }}\nc"
    lines = lines_of("a\nb\nX\nY\nc", "".join([marked("a\nb\n", 1), "X\nY", marked("\nc", 3)]), source)
    assert [lines((n, 1))[0] for n in range(1, 6)] == [1, 2, 3, 3, 4]
    guessed = lines_of("a\nb\nX\nY\nc", None, source)
    assert [guessed((n, 1))[0] for n in range(1, 6)] == [1, 2, 2, 2, 4]


def test_a_reload_parses_again_only_templates_whose_text_changed(folder: Folder) -> None:
    folder.write("semantic/a.yml", LOOP)
    files = ModelFiles()
    (before,) = load(folder.root, environ={}, files=files).cubes
    (same,) = load(folder.root, environ={}, files=files).cubes
    assert same is before
    folder.write("semantic/a.yml", LOOP.replace('"lost"', '"gone"'))
    (after,) = load(folder.root, environ={}, files=files).cubes
    assert [one.name for one in after.measures] == ["paid_count", "open_count", "gone_count"]


def test_a_link_out_of_the_folder_is_no_file_of_it(folder: Folder) -> None:
    folder.write("secret.txt", "s3cret")
    folder.write("semantic/a.yml", "{% include 'out.txt' %}")
    (folder.root / "semantic" / "out.txt").symlink_to(folder.root / "secret.txt")
    assert folder.problems() == [
        "semantic/a.yml:1:1: Jinja: there is no file 'out.txt' (expected a file below semantic)"
    ]
