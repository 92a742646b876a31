"""Mutants of a module: one fault each, put into the body of a function.

compare    `<` and `<=`, `>` and `>=`, `==` and `!=`, `is` and `is not`, `in` and `not in` change places
operand    an operand of `and` or `or` is left out, which the tests of `and` for `or` would find as well
negate     a condition is turned round: the branches change places
constant   a number grows by one, a word is empty, True is False and the reverse; sentences stay as they are
arithmetic `+` and `-` change places
remove     a call, an assignment to an attribute or item, a `del` or a `raise` is left out
return     a function does nothing and returns None, or True and False where it answers yes or no; only where it has no
           other fault, as what notices a smaller fault in a function notices its absence
keyword    a keyword argument is left out
"""

import ast
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from types import CodeType

_SWAPPED: dict[type[ast.cmpop], type[ast.cmpop]] = {
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
_LOGGERS = ("log", "_log", "logging", "with_fields")
Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Mutant:
    """A fault: which node of the module, by its place in `ast.walk`, becomes what."""

    id: str
    line: int
    index: int
    replacement: ast.AST

    @property
    def function(self) -> str:
        """The function that has the fault, with those and the classes around it."""
        return self.id.split(":")[1]


def list_mutants(module: str, source: str) -> list[Mutant]:
    """Return the mutants of a module's source, in the order of its lines; an id outlives moves of lines."""
    tree = ast.parse(source)
    places = {id(node): index for index, node in enumerate(ast.walk(tree))}
    seen: Counter[str] = Counter()
    found, faults = [], [*_iter_faults(tree, "")]
    smaller = {name for name, _, kind, _ in faults if kind != "return"}
    for name, node, kind, replacement in faults:
        if kind == "return" and name in smaller:
            continue
        text = f"{module}:{name}:{kind}:{_describe(node, replacement)}"
        seen[text] += 1
        id_ = text if seen[text] == 1 else f"{text} #{seen[text]}"
        found.append(Mutant(id_, getattr(node, "lineno", 0), places[id(node)], replacement))
    return sorted(found, key=lambda mutant: mutant.line)


def compile_mutant(source: str, mutant: Mutant, path: str) -> CodeType:
    """Compile the source with the fault in it."""
    tree = ast.parse(source)
    target = list(ast.walk(tree))[mutant.index]
    _Replace(target, mutant.replacement).visit(tree)
    return compile(ast.fix_missing_locations(tree), path, "exec", flags=0)


class _Replace(ast.NodeTransformer):
    def __init__(self, target: ast.AST, replacement: ast.AST) -> None:
        self._target = target
        self._replacement = ast.copy_location(replacement, target)

    def visit(self, node: ast.AST) -> ast.AST:
        return self._replacement if node is self._target else self.generic_visit(node)


def _describe(node: ast.AST, replacement: ast.AST) -> str:
    """Say what becomes what; of a call that loses a keyword, which keyword."""
    if isinstance(node, ast.Call) and isinstance(replacement, ast.Call):
        (lost,) = (each for each in node.keywords if each not in replacement.keywords)
        return f"{_shorten(node.func)}({_shorten(lost)})"
    return f"{_shorten(node)} -> {_shorten(replacement, node)}"


def _shorten(node: ast.AST, instead_of: ast.AST | None = None) -> str:
    """Return the node's source on one line, of a function its outcome alone."""
    if isinstance(node, Function):
        return "body" if instead_of is None else ast.unparse(node.body[-1])
    text = " ".join(ast.unparse(node).split())
    return text if len(text) <= 80 else f"{text[:60]} … {text[-17:]}"


def _iter_faults(node: ast.AST, name: str) -> Iterator[tuple[str, ast.AST, str, ast.AST]]:
    """Yield the function's name, the node, the kind of fault and what the node becomes."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, Function):
            full = f"{name}.{child.name}".lstrip(".")
            yield from ((full, child, "return", each) for each in _empty_function(child))
            for statement in child.body:
                yield from _iter_code_faults(statement, full)
        elif isinstance(child, ast.ClassDef):
            yield from _iter_faults(child, f"{name}.{child.name}".lstrip("."))


def _iter_code_faults(node: ast.AST, name: str) -> Iterator[tuple[str, ast.AST, str, ast.AST]]:
    if isinstance(node, Function):
        yield from _iter_faults(ast.Module([node], []), name)
        return
    if _is_talk(node):
        return
    yield from ((name, node, kind, each) for kind, each in _iter_replacements(node))
    for child in ast.iter_child_nodes(node):
        yield from _iter_code_faults(child, name)


def _is_talk(node: ast.AST) -> bool:
    """Whether a node is for people or type checkers: docstrings, log lines, sentences, annotations."""
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return True
    if isinstance(node, ast.Call):
        return ast.unparse(node.func).split("(")[0].removeprefix("self.").split(".")[0].lower() in _LOGGERS
    return isinstance(node, ast.JoinedStr | ast.Import | ast.ImportFrom)


def _iter_replacements(node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    match node:
        case ast.Compare():
            yield from (("compare", each) for each in _swap_operators(node))
        case ast.BoolOp():
            yield from (("operand", each) for each in _drop_operands(node))
        case ast.UnaryOp(op=ast.Not()):
            yield "negate", ast.Call(ast.Name("bool", ast.Load()), [node.operand], [])
        case ast.Constant():
            yield from (("constant", each) for each in _change_constant(node.value))
        case ast.BinOp(op=ast.Add() | ast.Sub()):
            other = ast.Sub() if isinstance(node.op, ast.Add) else ast.Add()
            yield "arithmetic", ast.BinOp(node.left, other, node.right)
        case ast.Call():
            yield from (("keyword", each) for each in _drop_keywords(node))
        case _:
            yield from _iter_statements(node)


def _iter_statements(node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    match node:
        case ast.If() | ast.While() | ast.IfExp() if not isinstance(node.test, ast.Compare | ast.BoolOp | ast.UnaryOp):
            yield "negate", _negate(node)
        case ast.Raise() | ast.Delete() | ast.AugAssign() | ast.Assign(targets=[ast.Attribute() | ast.Subscript()]):
            yield "remove", ast.Pass()
        case ast.Expr(value=ast.Call() | ast.Await(value=ast.Call())) if not _is_log_line(node):
            yield "remove", ast.Pass()


def _swap_operators(node: ast.Compare) -> Iterator[ast.AST]:
    for place, operator in enumerate(node.ops):
        swapped = [*node.ops[:place], _SWAPPED[type(operator)](), *node.ops[place + 1 :]]
        yield ast.Compare(node.left, swapped, node.comparators)


def _drop_operands(node: ast.BoolOp) -> Iterator[ast.AST]:
    for place in range(len(node.values)):
        rest = node.values[:place] + node.values[place + 1 :]
        yield rest[0] if len(rest) == 1 else ast.BoolOp(node.op, rest)


def _drop_keywords(node: ast.Call) -> Iterator[ast.AST]:
    for place, keyword in enumerate(node.keywords):
        if keyword.arg:
            yield ast.Call(node.func, node.args, node.keywords[:place] + node.keywords[place + 1 :])


def _is_log_line(node: ast.Expr) -> bool:
    return _is_talk(node.value.value if isinstance(node.value, ast.Await) else node.value)


def _negate(node: ast.If | ast.While | ast.IfExp) -> ast.AST:
    test = ast.UnaryOp(ast.Not(), node.test)
    if isinstance(node, ast.IfExp):
        return ast.IfExp(test, node.body, node.orelse)
    return type(node)(test, node.body, node.orelse)


def _change_constant(value: object) -> list[ast.expr]:
    """A sentence, which has a space, stays: tests of its words would repeat it."""
    if isinstance(value, bool):
        return [ast.Constant(not value)]
    if isinstance(value, int | float):
        return [ast.Constant(value + 1)]
    return [ast.Constant("")] if isinstance(value, str) and value and not any(map(str.isspace, value)) else []


def _empty_function(node: Function) -> list[ast.AST]:
    """Return the function with nothing but an answer; one that does nothing already is left alone."""
    body = [each for each in node.body if not _is_talk(each)]
    answers = [True, False] if node.returns is not None and ast.unparse(node.returns) == "bool" else [None]
    if not body or isinstance(body[0], ast.Pass) or any(map(_is_contract, node.decorator_list)):
        return []
    return [_copy_with_body(node, [ast.Return(ast.Constant(answer))]) for answer in answers]


def _is_contract(decorator: ast.expr) -> bool:
    return ast.unparse(decorator) in ("abstractmethod", "overload")


def _copy_with_body(node: Function, body: list[ast.stmt]) -> Function:
    fields = {name: getattr(node, name) for name in node._fields}
    return type(node)(**(fields | {"body": body}))
