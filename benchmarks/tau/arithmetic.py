"""The desk's calculator: the four operations and brackets, without running any code."""

import ast
from typing import Final

_CHARACTERS: Final = frozenset("0123456789+-*/(). ")


def calculated(expression: str) -> str:
    """Return the value with two decimals at most, as the recorded calculator wrote it.

    Raises:
        ValueError: it holds something else than numbers, operations and brackets, or has no value.
    """
    if not _CHARACTERS.issuperset(expression):
        raise ValueError("invalid characters in expression")
    try:
        return str(round(float(_value(ast.parse(expression.strip(), mode="eval").body)), 2))
    except (SyntaxError, ArithmeticError, RecursionError) as error:
        raise ValueError(str(error)) from error


def _value(node: ast.AST) -> float:
    match node:
        case ast.Constant(value=int() | float() as number):
            return number
        case ast.BinOp(left=left, op=operation, right=right):
            return _combined(_value(left), operation, _value(right))
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_value(operand)
        case ast.UnaryOp(op=ast.UAdd(), operand=operand):
            return _value(operand)
        case _:
            raise ValueError("not a calculation")


def _combined(one: float, operation: ast.operator, other: float) -> float:
    match operation:
        case ast.Add():
            return one + other
        case ast.Sub():
            return one - other
        case ast.Mult():
            return one * other
        case ast.Div():
            return one / other
        case ast.FloorDiv():
            return one // other
        case _:
            raise ValueError("only + - * / and brackets can be calculated")
