"""An explanation for people: lines for a terminal, copies set in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rich.text import Text

from switch.proto import inspect_pb2 as pb

DUMPED = 128
"""Bytes of a packet that are shown."""

_NARROW = 10  # bits; values up to this width are told in decimal
_ARRIVALS = {
    pb.Arrival.RECEIVED: "in on",
    pb.Arrival.RESUBMITTED: "resubmitted, as if again in on",
    pb.Arrival.RECIRCULATED: "recirculated, as if again in on",
}
_ACCESSES = {
    pb.Access.COUNT: "count",
    pb.Access.METER: "meter",
    pb.Access.READ: "read",
    pb.Access.WRITE: "write",
}
_ENDS = {
    "dropped_by_program": "dropped by the program",
    "lost_to_loop": "lost: it went round, or was copied, too often",
    "lost_to_check": "lost: an assertion does not hold",
}


def render(explanation: pb.Explanation) -> Iterator[Text]:
    """The lines of an explanation, with styles."""
    yield from _steps(explanation.steps)
    if explanation.cut:
        yield Text("… the packet goes on for longer than can be told", style="bold red")


def _steps(steps: Iterable[pb.Step]) -> Iterator[Text]:
    for step in steps:
        yield from _step(step)


def _step(step: pb.Step) -> Iterator[Text]:  # noqa: PLR0912 (one a kind)
    match step.WhichOneof("step"):
        case "arrival":
            yield from _arrival(step.arrival)
        case "state":
            yield from _state(step.state)
        case "parsed":
            yield from _parsed(step.parsed)
        case "condition":
            yield _condition(step.condition)
        case "table":
            yield from _table(step.table)
        case "changes":
            yield from _changes(step.changes)
        case "access":
            value = f" = {short(step.access.value)}" if step.access.value else ""
            yield _line(4, f"{_ACCESSES[step.access.kind]} {step.access.name}[{step.access.index}]{value}")
        case "log":
            yield _line(4, f"log: {step.log.text}")
        case "digest":
            yield _line(2, f"digest {step.digest.name}: {_fields(step.digest.fields)}", style="magenta")
        case "exit":
            yield _line(2, "exit")
        case "clone":
            yield _clone(step.clone)
        case "multicast":
            copies = _number(step.multicast.copies, "copy", "copies")
            yield _line(0, f"multicast group {step.multicast.group}: {copies}", style="magenta")
        case "copy":
            yield from _copy(step.copy)
        case "egress":
            yield _line(0, f"egress to port {step.egress.port}", style="bold")
        case "deparsed":
            headers = ", ".join(step.deparsed.headers) or "no headers"
            yield _line(
                0, f"deparser: {headers}, {step.deparsed.payload_length} bytes of payload", style="bold"
            )
        case "sent":
            yield from _sent(step.sent)
        case "ended":
            yield _line(0, _ENDS.get(step.ended.reason, step.ended.reason), style="bold red")
        case _:
            pass


def short(value: str, width: int = 0) -> str:
    """A value of the wire as it is told: narrow ones in decimal."""
    return str(int(value, 16)) if 0 < width <= _NARROW else value


def _line(indent: int, text: str, source: pb.Source | None = None, style: str = "") -> Text:
    line = Text(" " * indent)
    line.append(text, style=style)
    if source is not None and source.line:
        line.append(f"  {source.file}:{source.line}", style="dim")
    return line


def _number(count: int, one: str, many: str) -> str:
    return f"{count or 'no'} {one if count == 1 else many}"


def _fields(given: Iterable[pb.Field]) -> str:
    return ", ".join(f"{field.name} {short(field.value, field.width)}" for field in given)


def _arrival(arrival: pb.Arrival) -> Iterator[Text]:
    size = len(arrival.packet) // 2
    yield _line(0, f"{_ARRIVALS[arrival.reason]} port {arrival.port}, {size} bytes", style="bold")
    yield from _dump(arrival.packet)
    yield _line(0, "parser", style="bold")


def _state(state: pb.State) -> Iterator[Text]:
    yield _line(2, state.name, style="cyan")
    for header in state.extracted:
        yield _line(4, f"{header.name} at {header.offset}: {_fields(header.fields)}")
    if state.select and state.next:
        yield _line(4, f"select {_fields(state.select)}: {state.matched} → {state.next}")
    elif state.next:
        yield _line(4, f"→ {state.next}")


def _parsed(parsed: pb.Parsed) -> Iterator[Text]:
    if parsed.error != "NoError":
        yield _line(2, f"error.{parsed.error}", style="red")
    if parsed.checksum_error:
        yield _line(2, "a checksum is wrong", style="red")
    yield _line(0, "ingress", style="bold")


def _condition(condition: pb.Condition) -> Text:
    text = condition.source.fragment or condition.name
    line = _line(2, f"if {text}  ")
    line.append("yes" if condition.outcome else "no", style="green" if condition.outcome else "yellow")
    return line.append_text(_line(0, "", condition.source))


def _table(table: pb.Table) -> Iterator[Text]:
    if not table.key:
        yield _line(2, f"do {_call(table)}", table.source)
        return
    yield _line(2, f"table {table.name}: {_fields(table.key)}", table.source, style="cyan")
    if table.HasField("entry"):
        priority = f", priority {table.entry.priority}" if table.entry.priority else ""
        yield _line(
            4, f"hit entry {table.entry.handle}{priority}: {', '.join(table.entry.match)}", style="green"
        )
    else:
        yield _line(4, "miss", style="yellow")
    chosen = _chosen(table)
    if chosen:
        yield _line(4, chosen)
    if table.HasField("action"):
        default = "" if table.HasField("entry") else "default "
        yield _line(4, f"{default}{_call(table)}", table.action.source)
    elif not table.HasField("entry"):
        yield _line(4, "no default action")


def _call(table: pb.Table) -> str:
    return (
        f"{table.action.name}({_fields(table.action.parameters)})" if table.HasField("action") else "nothing"
    )


def _chosen(table: pb.Table) -> str:
    """The group and the member, by P4Runtime's ids where it has any."""
    parts: list[str] = []
    if table.group_handle:
        parts.append(
            f"group {table.group_id}" if table.group_id else f"group with handle {table.group_handle}"
        )
        if not table.member_handle:
            parts.append("is empty: no action")
    if table.member_handle:
        member = (
            f"member {table.member_id}" if table.member_id else f"member with handle {table.member_handle}"
        )
        parts.append(f"→ {member}" if parts else member)
    return " ".join(parts)


def _changes(changes: pb.Changes) -> Iterator[Text]:
    for name in changes.added:
        yield _line(4, f"{name} becomes valid", style="blue")
    for name in changes.removed:
        yield _line(4, f"{name} becomes invalid", style="blue")
    for change in changes.fields:
        before, after = short(change.before, change.width), short(change.after, change.width)
        yield _line(4, f"{change.name} {before} → {after}", style="blue")


def _clone(clone: pb.Clone) -> Text:
    where = "egress" if clone.from_egress else "ingress"
    cut = f", cut to {clone.truncate} bytes" if clone.truncate else ""
    copies = _number(clone.copies, "copy", "copies")
    return _line(0, f"clone from {where}, session {clone.session}: {copies}{cut}", style="magenta")


def _copy(copy: pb.Copy) -> Iterator[Text]:
    yield _line(0, f"├ copy to port {copy.port}, instance {copy.instance}", style="magenta")
    for line in _steps(copy.steps):
        yield Text("│   ", style="magenta").append_text(line)


def _sent(sent: pb.Sent) -> Iterator[Text]:
    where = f" ({sent.interface})" if sent.interface else ""
    yield _line(0, f"out on port {sent.port}{where}, {len(sent.packet) // 2} bytes", style="bold green")
    yield from _dump(sent.packet)


def _dump(packet: str) -> Iterator[Text]:
    data = bytes.fromhex(packet)
    for at in range(0, min(len(data), DUMPED), 16):
        yield _line(2, f"{at:04x}  {data[at : at + 16].hex(' ')}", style="dim")
    if len(data) > DUMPED:
        yield _line(2, f"… {len(data) - DUMPED} bytes more", style="dim")
