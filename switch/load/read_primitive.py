"""Primitive calls of actions, parser states and deparsers."""

from __future__ import annotations

from collections.abc import Callable

from switch.load.expression import FieldOf, HeaderPlace, HeaderRef, StackLast
from switch.load.node import Node
from switch.load.primitive import (
    MESSAGE_PART,
    Assign,
    AssignHeader,
    AssignStack,
    AssignUnionStack,
    AssignVarbit,
    Check,
    Clone,
    Count,
    ExecuteMeter,
    Exit,
    Hash,
    Jump,
    Log,
    MarkToDrop,
    Primitive,
    Random,
    Recirculate,
    RegisterRead,
    RegisterWrite,
    Resubmit,
    SendDigest,
    SetInvalid,
    SetValid,
    Shift,
    Truncate,
)
from switch.load.read_expression import ExpressionReader
from switch.load.symbols import Symbols, lookup


class PrimitiveReader:
    """Reads primitive calls in the scope of one action."""

    def __init__(self, symbols: Symbols, params: tuple[int, ...] = ()) -> None:
        self.symbols = symbols
        self.expressions = ExpressionReader(symbols, params)
        self._readers: dict[str, Callable[[Node], Primitive]] = {
            "assign": self._assign,
            "modify_field": self._assign,
            "assign_VL": self._assign_varbit,
            "assign_header": self._assign_header,
            "copy_header": self._assign_header,
            "assign_header_stack": self._assign_stack,
            "assign_union_stack": self._assign_union_stack,
            "add_header": self._set_valid,
            "remove_header": self._set_invalid,
            "push": self._push,
            "pop": self._pop,
            "mark_to_drop": self._mark_to_drop,
            "drop": self._drop,
            "_jump": self._jump,
            "_jump_if_zero": self._jump_if_zero,
            "exit": self._exit,
            "count": self._count,
            "register_read": self._register_read,
            "register_write": self._register_write,
            "execute_meter": self._execute_meter,
            "modify_field_with_hash_based_offset": self._hash,
            "modify_field_rng_uniform": self._random,
            "generate_digest": self._digest,
            "clone_ingress_pkt_to_egress": self._clone_ingress,
            "clone_egress_pkt_to_egress": self._clone_egress,
            "resubmit": self._resubmit,
            "recirculate": self._recirculate,
            "truncate": self._truncate,
            "log_msg": self._log,
            "assert": self._check,
            "assume": self._check,
        }

    def read(self, node: Node) -> tuple[Primitive, ...]:
        """The primitives one call stands for: none for a no-op, several for a union.

        Raises:
            LoadError: the call is unknown (SW201) or its arguments do not fit.
        """
        op = node.get("op").str()
        if op == "no_op":
            return ()
        if op == "assign_union":
            return self._assign_union(node)
        reader = self._readers.get(op)
        if reader is None:
            raise node.fail(201, f"primitive {op!r}")
        return (reader(node.get("parameters")),)

    def _place(self, node: Node) -> FieldOf:
        place = self.expressions.data(node)
        if not isinstance(place, FieldOf):
            raise node.fail(202, "a field is needed as destination")
        return place

    def _is_varbit(self, place: FieldOf) -> bool:
        header_type = self.symbols.types[self.expressions.type_of(place.header)]
        return header_type.fields[place.field].varbit

    def _assign(self, args: Node) -> Primitive:
        dst = self._place(args.at(0))
        if self._is_varbit(dst):
            return self._assign_varbit(args)
        return Assign(dst, self.expressions.data(args.at(1)))

    def _assign_varbit(self, args: Node) -> Primitive:
        dst, src = self._place(args.at(0)), self._place(args.at(1))
        if not (self._is_varbit(dst) and self._is_varbit(src)):
            raise args.fail(202, "assignment between a varbit field and another kind")
        return AssignVarbit(dst, src)

    def _header(self, node: Node) -> HeaderPlace:
        return self.expressions.header(node)

    def _assign_header(self, args: Node) -> Primitive:
        dst, src = self._header(args.at(0)), self._header(args.at(1))
        if self.expressions.type_of(dst) != self.expressions.type_of(src):
            raise args.fail(105, "assignment between headers of different types")
        return AssignHeader(dst, src)

    def _assign_union(self, node: Node) -> tuple[Primitive, ...]:
        unions = [
            self.symbols.unions[lookup(self.symbols.union_index, arg.get("value"), "header union")]
            for arg in node.get("parameters").each()
        ]
        if len(unions) != 2 or len(unions[0].headers) != len(unions[1].headers):
            raise node.fail(105, "assignment between unions of different shape")
        return tuple(
            AssignHeader(HeaderRef(dst), HeaderRef(src))
            for dst, src in zip(unions[0].headers, unions[1].headers, strict=True)
        )

    def _assign_stack(self, args: Node) -> Primitive:
        dst, src = (lookup(self.symbols.stack_index, args.at(i).get("value"), "header stack") for i in (0, 1))
        if len(self.symbols.stacks[dst].headers) != len(self.symbols.stacks[src].headers):
            raise args.fail(105, "assignment between header stacks of different size")
        return AssignStack(dst, src)

    def _assign_union_stack(self, args: Node) -> Primitive:
        dst, src = (
            lookup(self.symbols.union_stack_index, args.at(i).get("value"), "header union stack")
            for i in (0, 1)
        )
        return AssignUnionStack(dst, src)

    def _set_valid(self, args: Node) -> Primitive:
        return SetValid(self._header(args.at(0)))

    def _set_invalid(self, args: Node) -> Primitive:
        return SetInvalid(self._header(args.at(0)))

    def _shift(self, args: Node, sign: int) -> Primitive:
        stack = lookup(self.symbols.stack_index, args.at(0).get("value"), "header stack")
        count = args.at(1).get("value").hex()
        if count < 0:
            raise args.fail(105, f"a stack cannot be shifted by {count}")
        return Shift(stack, sign * min(count, len(self.symbols.stacks[stack].headers)))

    def _push(self, args: Node) -> Primitive:
        return self._shift(args, 1)

    def _pop(self, args: Node) -> Primitive:
        return self._shift(args, -1)

    def _mark_to_drop(self, args: Node) -> Primitive:
        header = self._header(args.at(0))
        fields = [f.name for f in self.symbols.types[self.expressions.type_of(header)].fields]
        if "egress_spec" not in fields or isinstance(header, StackLast):
            raise args.fail(104, "mark_to_drop needs a header with a field egress_spec")
        group = FieldOf(header, fields.index("mcast_grp")) if "mcast_grp" in fields else None
        return MarkToDrop(FieldOf(header, fields.index("egress_spec")), group)

    def _drop(self, args: Node) -> Primitive:
        pair = ["standard_metadata", "egress_spec"]
        group = ["intrinsic_metadata", "mcast_grp"]
        has_group = ("intrinsic_metadata", "mcast_grp") in self.symbols.aliases
        return MarkToDrop(
            self.symbols.field(Node(pair, args.path, args.source)),
            self.symbols.field(Node(group, args.path, args.source)) if has_group else None,
        )

    def _jump(self, args: Node) -> Primitive:
        return Jump(args.at(0).get("value").hex(), None)

    def _jump_if_zero(self, args: Node) -> Primitive:
        return Jump(args.at(1).get("value").hex(), self.expressions.data(args.at(0)))

    def _exit(self, args: Node) -> Primitive:
        if list(args.each()):
            raise args.fail(105, "exit takes no arguments")
        return Exit()

    def _count(self, args: Node) -> Primitive:
        counter = lookup(self.symbols.counters, args.at(0).get("value"), "counter")
        return Count(counter, self.expressions.data(args.at(1)))

    def _register_read(self, args: Node) -> Primitive:
        register = lookup(self.symbols.registers, args.at(1).get("value"), "register")
        return RegisterRead(self._place(args.at(0)), register, self.expressions.data(args.at(2)))

    def _register_write(self, args: Node) -> Primitive:
        register = lookup(self.symbols.registers, args.at(0).get("value"), "register")
        return RegisterWrite(register, self.expressions.data(args.at(1)), self.expressions.data(args.at(2)))

    def _execute_meter(self, args: Node) -> Primitive:
        meter = lookup(self.symbols.meters, args.at(0).get("value"), "meter")
        return ExecuteMeter(meter, self.expressions.data(args.at(1)), self._place(args.at(2)))

    def _hash(self, args: Node) -> Primitive:
        calculation = lookup(self.symbols.calculations, args.at(2).get("value"), "calculation")
        data = self.expressions.data
        return Hash(self._place(args.at(0)), data(args.at(1)), calculation, data(args.at(3)))

    def _random(self, args: Node) -> Primitive:
        data = self.expressions.data
        return Random(self._place(args.at(0)), data(args.at(1)), data(args.at(2)))

    def _digest(self, args: Node) -> Primitive:
        return SendDigest(self.expressions.data(args.at(1)))

    def _clone_ingress(self, args: Node) -> Primitive:
        return Clone(False, self.expressions.data(args.at(0)), self.expressions.data(args.at(1)))

    def _clone_egress(self, args: Node) -> Primitive:
        return Clone(True, self.expressions.data(args.at(0)), self.expressions.data(args.at(1)))

    def _resubmit(self, args: Node) -> Primitive:
        return Resubmit(self.expressions.data(args.at(0)))

    def _recirculate(self, args: Node) -> Primitive:
        return Recirculate(self.expressions.data(args.at(0)))

    def _truncate(self, args: Node) -> Primitive:
        return Truncate(self.expressions.data(args.at(0)))

    def _log(self, args: Node) -> Primitive:
        text = args.at(0).get("value").str()
        values = args.at(1).get("value")
        operands = tuple(self.expressions.data(v) for v in values.each()) if values.value else ()
        places = sum(part["place"] is not None for part in MESSAGE_PART.finditer(text))
        if places != len(operands):
            raise args.fail(105, f"log_msg has {len(operands)} values for {places} places")
        return Log(text, operands)

    def _check(self, args: Node) -> Primitive:
        what = args.source.fragment if args.source else args.path
        return Check(self.expressions.truth(args.at(0)), what)
