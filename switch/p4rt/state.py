"""Everything clients have written to one pipeline, by the ids of its P4Info."""

from __future__ import annotations

from .. import api
from .arrays import Counter, Meter, Register, ValueSet
from .context import Context
from .digests import Digests
from .p4info import Schema
from .profiles import Profile
from .program import Program
from .replication import clone_sessions, multicast_groups
from .tables import Table


class State:
    """The state of a pipeline as P4Runtime sees it."""

    def __init__(self, schema: Schema, program: Program, pipeline: api.Pipeline):
        """Start with what the program declares.

        Raises:
            ValueError: P4Info and program contradict each other.
        """
        context = Context(schema, pipeline)
        self.schema = schema
        self.pipeline = pipeline
        self.instant = context.instant
        self.profiles = {spec.id: Profile(spec, context) for spec in schema.profiles.values()}
        self.tables = {
            spec.id: Table(
                spec,
                program.defaults.get(spec.name),
                self.profiles[spec.profile.id] if spec.profile else None,
                context,
            )
            for spec in schema.tables.values()
        }
        self.counters = {spec.id: Counter(spec, context) for spec in schema.counters.values()}
        self.meters = {spec.id: Meter(spec, context) for spec in schema.meters.values()}
        self.registers = {spec.id: Register(spec, context) for spec in schema.registers.values()}
        self.value_sets = {spec.id: ValueSet(spec, context) for spec in schema.value_sets.values()}
        self.multicast_groups = multicast_groups(context)
        self.clone_sessions = clone_sessions(context)
        self.digests = Digests(context)
        self._tables_by_name = {table.spec.name: table for table in self.tables.values()}

    def table(self, table_id: int) -> Table:
        """A table by id.

        Raises:
            P4RuntimeError: it does not exist.
        """
        return self.schema.find(self.tables, "table", table_id)

    def profile(self, profile_id: int) -> Profile:
        """An action profile or selector by id.

        Raises:
            P4RuntimeError: it does not exist.
        """
        return self.schema.find(self.profiles, "action profile", profile_id)

    def table_by_name(self, name: str) -> Table | None:
        """A table that P4Info has, by its name in the program."""
        return self._tables_by_name.get(name)
