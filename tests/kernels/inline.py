"""Writes the inline form of what kernels share, as ``_lines.pxd``: ``python -m tests.kernels.inline``."""

from __future__ import annotations

import ast
from pathlib import Path

from tests.kernels.forms import FOLDER

MODULE = "tests.kernels.inline"
SOURCES = [path for path in sorted(FOLDER.glob("_*.py")) if MODULE in path.read_text()]
_TYPES = {
    "int": "long long",
    "Word": "unsigned long long",
    "ReadBuffer": "const unsigned char[::1]",
    "WriteBuffer": "unsigned char[::1]",
    "Int64s": "long long[::1]",
    "UInt32s": "unsigned int[::1]",
    "UInt16s": "unsigned short[::1]",
    "None": "void",
    "tuple[int, int]": "(long long, long long)",
}


def declarations(source: Path) -> str:
    """Return the text of the ``.pxd`` of ``source``: its numbers as an enum, its functions with C types."""
    text = f"# The functions of {source.name} inline, for compiled kernels. Written by: python -m {MODULE}\n"
    numbers, functions = "", ""
    for node in ast.parse(source.read_text()).body:
        if isinstance(node, ast.ImportFrom) and node.module == "cantools_cli.kernels":
            (name,) = node.names
            text += f"cimport {node.module}.{name.name} as {name.asname}\n"
        elif isinstance(node, ast.Assign):
            numbers += f"    {ast.unparse(node)}\n"
        elif isinstance(node, ast.FunctionDef) and node.name != "no_channels":  # creates a Python object
            functions += "\n" + _inline(node)
    return text + ("\ncdef enum:\n" + numbers if numbers else "") + functions


def _inline(function: ast.FunctionDef) -> str:
    stored, numbers, local_words, can_raise = set(), [], set(), False
    for node in ast.walk(function):
        if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store):
            stored.add(ast.unparse(node.value))
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            numbers.append(node.id)
        elif isinstance(node, ast.AnnAssign):
            local_words.add(ast.unparse(node.target))
        can_raise |= isinstance(node, ast.Raise)
    parameters = {argument.arg: ast.unparse(argument.annotation or node) for argument in function.args.args}
    declared = []
    for name, kind in parameters.items():
        constant = "const " if kind.endswith("s") and name not in stored else ""
        declared.append(f"{constant}{_TYPES[kind]} {name}")
    result = "int" if can_raise else _TYPES[ast.unparse(function.returns or ast.Constant(None))]
    ending = "except -1" if can_raise else "noexcept nogil"
    text = f"cdef inline {result} {function.name}({', '.join(declared)}) {ending}:\n"
    for name in dict.fromkeys(numbers):
        if name not in parameters:
            text += f"    cdef {_TYPES['Word' if name in local_words else 'int']} {name}\n"
    body = [_plain(statement) for statement in function.body[1:]]  # without the docstring
    return text + "".join(f"    {line}\n" for node in body for line in ast.unparse(node).splitlines())


def _plain(statement: ast.stmt) -> ast.stmt:
    """Return ``statement`` without the types of its assignments, which Cython has from the declarations."""

    class Plain(ast.NodeTransformer):
        def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.Assign:
            assert node.value is not None
            return ast.copy_location(ast.Assign([node.target], node.value), node)

    plain: ast.stmt = ast.fix_missing_locations(Plain().visit(statement))
    return plain


if __name__ == "__main__":
    for path in SOURCES:
        path.with_suffix(".pxd").write_text(declarations(path))
