"""Small changes to a module, of which its tests should notice each one.

A mutant is the module with one place changed: a comparison, an operator, a constant, a condition.
Docstrings, annotations and what only a type checker reads are left alone.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Callable

_COMPARISONS = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
_OPERATORS = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.Mod: ast.Mult,
}
_NAMES = {"min": "max", "max": "min", "any": "all", "all": "any"}
_NOT_TESTED = ("adds", "releases", "unnecessary_when", "frozen")
"""Arguments without an effect: columns of the table of seams that only people read, and what keeps
programmers from a mistake."""

Change = Callable[[ast.AST], None]


@dataclass(frozen=True)
class Mutant:
    """One changed module.

    Attributes:
        name: the line as it is, and what became of the place; stable while the line stays.
        line: its number.
        source: the whole changed module.
    """

    name: str
    line: int
    source: str


def mutants(source: str) -> Iterator[Mutant]:
    """Every mutant of a module."""
    tree, lines = ast.parse(source), source.splitlines()
    nodes = list(ast.walk(tree))
    left_alone = _left_alone(tree)
    seen: dict[str, int] = {}
    for number, node in enumerate(nodes):
        if id(node) in left_alone:
            continue
        for what, change in _changes(node):
            changed = copy.deepcopy(tree)
            change(list(ast.walk(changed))[number])
            line = getattr(node, "lineno", 1)
            name = f"{lines[line - 1].strip()}  ->  {what}"
            seen[name] = seen.get(name, 0) + 1
            if seen[name] > 1:
                name += f" (#{seen[name]})"
            yield Mutant(name, line, ast.unparse(ast.fix_missing_locations(changed)))


def _left_alone(tree: ast.AST) -> set[int]:
    """Nodes that have no part in what the module does."""
    found: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            found.add(id(node.value))  # a docstring
        annotations = [getattr(node, "annotation", None), getattr(node, "returns", None)]
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            annotations.append(node)
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            annotations.append(node)
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("once", "failed", "cast"):
            annotations.extend(node.args)  # the words of a message
        if isinstance(node, ast.keyword) and node.arg in _NOT_TESTED:
            annotations.append(node)
        for each in annotations:
            if each is not None:
                found.update(id(below) for below in ast.walk(each))
    return found


def _changes(node: ast.AST) -> Iterator[tuple[str, Change]]:
    if isinstance(node, ast.Compare):
        for at, operator in enumerate(node.ops):
            other = _COMPARISONS.get(type(operator))
            if other is not None:
                yield f"{other.__name__} #{at}", _set_item("ops", at, other)
    elif isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
        other = _OPERATORS[type(node.op)]
        yield other.__name__, lambda there: setattr(there, "op", other())
    elif isinstance(node, ast.BoolOp):
        swapped = ast.Or if isinstance(node.op, ast.And) else ast.And
        yield swapped.__name__, lambda there: setattr(there, "op", swapped())
    elif isinstance(node, ast.Constant):
        yield from _constants(node.value)
    elif isinstance(node, ast.Name) and node.id in _NAMES and isinstance(node.ctx, ast.Load):
        yield _NAMES[node.id], lambda there: setattr(there, "id", _NAMES[node.id])
    elif isinstance(node, (ast.If, ast.IfExp)):
        for value in (True, False):
            yield f"if {value}", lambda there, v=value: setattr(there, "test", ast.Constant(v))
    elif isinstance(node, ast.Return) and node.value is not None:
        if not (isinstance(node.value, ast.Constant) and node.value.value is None):
            yield "return None", lambda there: setattr(there, "value", ast.Constant(None))


def _constants(value: object) -> Iterator[tuple[str, Change]]:
    if isinstance(value, bool):
        yield str(not value), lambda there: setattr(there, "value", not value)
    elif isinstance(value, (int, float)):
        yield f"{value} + 1", lambda there: setattr(there, "value", value + 1)
    elif isinstance(value, str) and value:
        yield "another text", lambda there: setattr(there, "value", f"XX{value}")


def _set_item(field: str, at: int, kind: type[ast.AST]) -> Change:
    def change(there: ast.AST) -> None:
        getattr(there, field)[at] = kind()

    return change
