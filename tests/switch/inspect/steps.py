"""Reading explanations in tests."""

from collections.abc import Iterable, Iterator
from typing import Any

from switch.proto import inspect_pb2 as pb


def flat(steps: Iterable[pb.Step]) -> Iterator[pb.Step]:
    """All steps, those of copies in their place."""
    for step in steps:
        yield step
        if step.HasField("copy"):
            yield from flat(step.copy.steps)


def untimed(explanation: pb.Explanation) -> pb.Explanation:
    """The explanation without the values of `meta.now`, where our own program keeps the switch's clock."""
    copy = pb.Explanation()
    copy.CopyFrom(explanation)
    for changes in all_of(copy, "changes"):
        for field in changes.fields:
            if field.name.startswith("metadata_t._now"):
                field.before = field.after = ""
    return copy


def kinds(steps: Iterable[pb.Step]) -> list[str]:
    return [step.WhichOneof("step") or "" for step in steps]


def all_of(explanation: pb.Explanation, kind: str) -> list[Any]:
    """What all steps of a kind say, in order."""
    return [getattr(step, kind) for step in flat(explanation.steps) if step.HasField(kind)]  # type: ignore[arg-type]


def only(explanation: pb.Explanation, kind: str) -> Any:
    (found,) = all_of(explanation, kind)
    return found


def sent(explanation: pb.Explanation) -> list[tuple[int, bytes]]:
    return [(one.port, bytes.fromhex(one.packet)) for one in all_of(explanation, "sent")]


def table(explanation: pb.Explanation, name: str) -> pb.Table:
    (found,) = [one for one in all_of(explanation, "table") if one.name == name]
    return found


def fields(given: Iterable[pb.Field]) -> dict[str, str]:
    return {field.name: field.value for field in given}
