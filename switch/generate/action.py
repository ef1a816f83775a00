"""Actions to C: one function each, `a` pointing at the parameters in the table's record."""

from __future__ import annotations

from collections.abc import Sequence

from switch.generate import extern
from switch.generate.expression import Expressions, ParamWords
from switch.generate.header import Statements
from switch.generate.layout import Layout, identifier
from switch.load.errors import LoadError
from switch.load.expression import Const, FieldOf
from switch.load.primitive import (
    Assign,
    AssignHeader,
    AssignStack,
    AssignUnionStack,
    AssignVarbit,
    Exit,
    Jump,
    MarkToDrop,
    Primitive,
    SetInvalid,
    SetValid,
    Shift,
)
from switch.load.program import Program

DROP_PORT = 511
"""As in platform.h."""


def words_of(widths: Sequence[int]) -> tuple[ParamWords, int]:
    """Offsets of parameters in a record's data, and how many words they take."""
    offsets: list[int] = []
    at = 0
    for width in widths:
        offsets.append(at)
        at += max((width + 63) // 64, 1)
    return ParamWords(tuple(offsets)), at


def name_of(program: Program, action: int) -> str:
    """The C function of an action."""
    return f"action_{action}_{identifier(program.actions[action].name)}"


def call(layout: Layout, action: int) -> str:
    """The call of an action, on the parameters at `a`."""
    control = layout.reach.actions.get(action)
    return f"{name_of(layout.program, action)}({layout.arguments(control)}, a)"


def function(layout: Layout, index: int) -> list[str]:
    """The C function of an action.

    Raises:
        LoadError: the action does something that cannot be generated; names the action.
    """
    action = layout.program.actions[index]
    params, _ = words_of([param.width for param in action.params])
    try:
        body = Primitives(layout, params).block(action.primitives)
    except LoadError as error:
        raise LoadError(error.code, f"{error.detail}, in action {action.name}", "", action.source) from error
    control = layout.reach.actions.get(index)
    return [
        f"INLINE void {name_of(layout.program, index)}({layout.parameters(control)}, const uint64_t *a) {{",
        "    (void)h, (void)c, (void)a;",
        *(f"    {line}" for line in body),
        "}",
        "",
    ]


class Primitives:
    """Generates primitive calls; `params` are those of the enclosing action."""

    def __init__(self, layout: Layout, params: ParamWords | None = None) -> None:
        self.layout = layout
        self.program = layout.program
        self.expressions = Expressions(layout, params)
        self.statements = Statements(self.expressions)

    def block(self, primitives: Sequence[Primitive]) -> list[str]:
        """Statements of a list of primitives, with labels where jumps go."""
        targets = {p.target for p in primitives if isinstance(p, Jump)}
        lines: list[str] = []
        for index, primitive in enumerate(primitives):
            if index in targets:
                lines.append(f"l{index}:;")
            lines += self.one(primitive)
        if len(primitives) in targets:
            lines.append(f"l{len(primitives)}:;")
        return lines

    def one(self, node: Primitive) -> list[str]:  # noqa: PLR0911, PLR0912 (one a kind)
        """Statements of one primitive."""
        match node:
            case Assign(dst, src):
                return self.statements.assign(dst, src)
            case AssignVarbit(dst, src):
                return self._assign_varbit(dst, src)
            case AssignHeader(dst, src):
                return self.statements.assign_header(dst, src)
            case AssignStack(dst, src):
                return [
                    f"memcpy(h->s{dst}, h->s{src}, sizeof h->s{dst});",
                    f"h->s{dst}_next = h->s{src}_next;",
                    *self.statements.stack_seen(dst),
                ]
            case AssignUnionStack(dst, src):
                return self._assign_union_stack(dst, src)
            case SetValid(header):
                return self.statements.set_valid(header, count=True)
            case SetInvalid(header):
                return self.statements.set_invalid(header)
            case Shift(stack, count):
                return self._shift(stack, count)
            case MarkToDrop(port, group):
                lines = self.statements.assign(port, Const(DROP_PORT))
                return lines + self.statements.assign(group, Const(0)) if group else lines
            case Jump(target, None):
                return [f"goto l{target};"]
            case Jump(target, unless) if unless is not None:
                value = self.expressions.exact(unless)
                return [f"if (!({value.code})) goto l{target};"]
            case Exit():
                return ["h->exit = 1;"]
            case _:
                return extern.statement(self.statements, node)

    def _assign_varbit(self, dst: FieldOf, src: FieldOf) -> list[str]:
        a, b = self.expressions.place(dst.header), self.expressions.place(src.header)
        return [f"{a}.varbit = {b}.varbit;", f"{a}.varbit_length = {b}.varbit_length;"]

    def _assign_union_stack(self, dst: int, src: int) -> list[str]:
        stack = self.program.union_stacks[dst]
        members = range(len(self.program.unions[stack.unions[0]].headers))
        lines = [f"memcpy(h->u{dst}_{m}, h->u{src}_{m}, sizeof h->u{dst}_{m});" for m in members]
        return [*lines, f"h->u{dst}_next = h->u{src}_next;", *self.statements.union_stack_seen(dst)]

    def _shift(self, stack: int, count: int) -> list[str]:
        """push_front and pop_front (P4_16 §8.18): what comes in is invalid."""
        size, by = len(self.program.stacks[stack].headers), abs(count)
        name = f"h->s{stack}"
        if not by:
            return []
        blank = f"memset(&{name}[{0 if count > 0 else size - by}], 0, {by} * sizeof *{name});"
        move = (
            f"memmove(&{name}[{by}], {name}, {size - by} * sizeof *{name});"
            if count > 0
            else f"memmove({name}, &{name}[{by}], {size - by} * sizeof *{name});"
        )
        following = (
            f"{name}_next = {name}_next + {by} < {size} ? {name}_next + {by} : {size};"
            if count > 0
            else f"{name}_next = {name}_next > {by} ? {name}_next - {by} : 0;"
        )
        return [move, blank, following, *self.statements.stack_seen(stack)]
