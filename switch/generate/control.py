"""Ingress and egress to C: a function each, a label per table and condition."""

from __future__ import annotations

from switch.generate.expression import Expressions
from switch.generate.layout import Layout, identifier
from switch.generate.shape import table_actions
from switch.generate.table import HIT
from switch.load.primitive import Exit
from switch.load.program import Conditional, Control, Table


def function(layout: Layout, control: Control) -> list[str]:
    """ingress() or egress()."""
    return _Control(layout, control).function()


class _Control:
    def __init__(self, layout: Layout, control: Control) -> None:
        self.layout = layout
        self.program = layout.program
        self.control = control
        self.tables = {self.program.tables[index].name: index for index in control.tables}
        self.conditionals = {conditional.name: conditional for conditional in control.conditionals}
        first = 0 if control is self.program.ingress else len(self.program.ingress.conditionals)
        self.numbers = {node.name: first + i for i, node in enumerate(control.conditionals)}
        names = [*self.tables, *self.conditionals]
        self.labels = {name: f"n{i}_{identifier(name)}" for i, name in enumerate(names)}

    def function(self) -> list[str]:
        lines = [
            f"INLINE void {self.control.name}(struct phv *h, struct context *c) {{",
            f"    OWN({self.control.name});",
            "    (void)h, (void)own, (void)c;",
        ]
        lines.append(f"    {self._goto(self.control.start)}")
        for name in self._order():
            lines.append(f"{self.labels[name]}: __attribute__((unused));")
            node = (
                self._table(self.tables[name])
                if name in self.tables
                else self._conditional(self.conditionals[name])
            )
            lines += [f"    {line}" for line in node]
        return [*lines, "}", ""]

    def _order(self) -> list[str]:
        """Nodes that can be reached, depth first, so that code mostly runs downwards."""
        order: list[str] = []
        seen: set[str] = set()
        waiting = [self.control.start]
        while waiting:
            name = waiting.pop()
            if name is None or name in seen:
                continue
            seen.add(name)
            order.append(name)
            waiting += reversed(self._following(name))
        return order

    def _following(self, name: str) -> list[str | None]:
        if name in self.conditionals:
            conditional = self.conditionals[name]
            return [conditional.next_true, conditional.next_false]
        table = self.program.tables[self.tables[name]]
        if table.hit_miss:
            return [table.next_hit, table.next_miss]
        return [following for _, following in table.next_by_action] + [table.next_default]

    def _goto(self, name: str | None) -> str:
        return "return;" if name is None else f"goto {self.labels[name]};"

    def _conditional(self, node: Conditional) -> list[str]:
        condition = f"TRACE_IF({self.numbers[node.name]}, {Expressions(self.layout).truth(node.condition)})"
        return [f"if ({condition}) {self._goto(node.next_true)}", self._goto(node.next_false)]

    def _table(self, index: int) -> list[str]:
        table = self.program.tables[index]
        exits = any(
            isinstance(primitive, Exit)
            for action in table_actions(self.program, table)
            for primitive in self.program.actions[action].primitives
        )
        lines = ["{", f"uint32_t r = apply_{index}(h, own, c);", "(void)r;"]
        if exits:
            lines.append("if (h->exit) { TRACE(EXIT, 0); return; }")
        if table.hit_miss:
            lines += [f"if (r & {HIT}u) {self._goto(table.next_hit)}", self._goto(table.next_miss)]
        else:
            lines += self._by_action(table)
        return [*lines, "}"]

    def _by_action(self, table: Table) -> list[str]:
        following = {self.program.actions[action].name: name for action, name in table.next_by_action}
        if set(following.values()) <= {table.next_default}:
            return [self._goto(table.next_default)]
        lines = [f"switch (r & {HIT - 1}u) {{"]
        for number, action in enumerate(table_actions(self.program, table)):
            name = self.program.actions[action].name
            if name in following:
                lines.append(f"case {number}: {self._goto(following[name])}")
        return [*lines, f"default: {self._goto(table.next_default)}", "}"]
