"""Whatever a client sends, an update is done, or refused by a code and nothing has changed."""

from __future__ import annotations

from functools import cache

from finsy.proto import p4r, rpc_code
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from hypothesis import given
from hypothesis import strategies as st

from switch.p4rt import p4info, program
from switch.p4rt.errors import BatchError
from switch.p4rt.read import Reader
from switch.p4rt.reconcile import carry_over
from switch.p4rt.roles import Role
from switch.p4rt.state import State
from switch.p4rt.write import Writer
from tests.switch.effort import examples

from .memory_pipeline import MemoryPipeline
from .messages import DEVICE_CONFIG, IDS, P4INFO
from .test_batches import CHANGES, MORE_CHANGES, STATE

VALID = [update for _, update in (*CHANGES, *MORE_CHANGES)] + list(STATE)
INTERESTING = [0, 1, 2, 3, 5, 255, 256, (1 << 31) - 1, *IDS.values()]
LEAVES = {
    FieldDescriptor.CPPTYPE_INT32: st.sampled_from([*INTERESTING, -1]),
    FieldDescriptor.CPPTYPE_INT64: st.sampled_from([*INTERESTING, -1, (1 << 63) - 1]),
    FieldDescriptor.CPPTYPE_UINT32: st.sampled_from([*INTERESTING, (1 << 32) - 1]),
    FieldDescriptor.CPPTYPE_UINT64: st.sampled_from([*INTERESTING, (1 << 64) - 1]),
    FieldDescriptor.CPPTYPE_BOOL: st.booleans(),
    FieldDescriptor.CPPTYPE_STRING: st.binary(max_size=20),
}


def new_state() -> tuple[State, MemoryPipeline]:
    parsed, pipeline = program.parse(DEVICE_CONFIG), MemoryPipeline(DEVICE_CONFIG)
    return State(schema(), parsed, pipeline), pipeline


@cache
def schema() -> p4info.Schema:
    return p4info.build(P4INFO, program.parse(DEVICE_CONFIG))


def write(state: State, updates: list[p4r.Update]) -> list[int]:
    """The code of each update."""
    try:
        for _ in Writer(state, Role(), p4r.WriteRequest.CONTINUE_ON_ERROR).run(updates):
            pass
    except BatchError as error:
        return [0 if result is None else result.code for result in error.results]
    return [0] * len(updates)


@st.composite
def spoiled(draw: st.DrawFn) -> p4r.Entity:
    """A valid entity with some of its fields replaced, dropped or repeated."""
    entity = p4r.Entity()
    entity.CopyFrom(draw(st.sampled_from(VALID)))
    for _ in range(draw(st.integers(1, 3))):
        spoil(draw, entity)
    return entity


def spoil(draw: st.DrawFn, message: Message) -> None:
    fields = message.DESCRIPTOR.fields
    if not fields:
        return
    given_fields = [field for field, _ in message.ListFields()]
    field = draw(st.sampled_from(given_fields if given_fields and draw(st.booleans()) else list(fields)))
    if field.message_type is None:
        strategy = LEAVES.get(field.cpp_type, st.just(0))
        value = draw(strategy)
        if field.type == FieldDescriptor.TYPE_STRING:
            value = value.hex()
        if field.is_repeated:
            getattr(message, field.name).append(value)
        else:
            setattr(message, field.name, value)
    elif field.message_type.full_name == "google.protobuf.Any" or draw(st.integers(0, 7)) == 0:
        message.ClearField(field.name)
    elif field.message_type.GetOptions().map_entry:
        getattr(message, field.name).clear()
    elif field.is_repeated:
        items = getattr(message, field.name)
        if len(items) and draw(st.booleans()):
            spoil(draw, draw(st.sampled_from(list(items))))
        else:
            spoil(draw, items.add())
    else:
        spoil(draw, getattr(message, field.name))


@examples(200)
@given(st.lists(st.tuples(st.integers(0, 4), spoiled()), min_size=1, max_size=4))
def test_an_update_is_done_or_refused_whole(spoiled_updates: list[tuple[int, p4r.Entity]]) -> None:
    state, pipeline = new_state()
    assert write(state, [p4r.Update(type=p4r.Update.INSERT, entity=entity) for entity in STATE]) == [0] * len(
        STATE
    )
    for kind, entity in spoiled_updates:
        before = pipeline.summary()
        update = p4r.Update(entity=entity)
        update.type = kind  # type: ignore[assignment]
        (code,) = write(state, [update])
        assert code != rpc_code.INTERNAL
        assert code == 0 or pipeline.summary() == before
    rest = [p4r.Entity(table_entry=p4r.TableEntry()), p4r.Entity(value_set_entry=p4r.ValueSetEntry())]
    list(Reader(state, None).run(rest))


@examples(200)
@given(spoiled())
def test_a_read_is_answered_or_refused(request: p4r.Entity) -> None:
    state, _ = new_state()
    write(state, [p4r.Update(type=p4r.Update.INSERT, entity=entity) for entity in STATE])
    try:
        list(Reader(state, None).run([request]))
    except BatchError as error:
        (result,) = error.results
        assert result is not None
        assert result.code != rpc_code.INTERNAL


@examples(100)
@given(st.lists(st.tuples(st.integers(1, 3), st.sampled_from(VALID)), max_size=30))
def test_what_is_read_can_be_written_again(history: list[tuple[int, p4r.Entity]]) -> None:
    """A fresh pipeline, given what was read of one with a history, is the same (§ 8.2)."""
    state, pipeline = new_state()
    updates: list[p4r.Update] = []
    for kind, entity in history:
        update = p4r.Update(entity=entity)
        update.type = kind  # type: ignore[assignment]
        updates.append(update)
    write(state, updates)
    copy, copied = new_state()
    carry_over(state, copy)
    assert copied.summary() == pipeline.summary()
