"""Which tests of this suite BMv2 (1.15.5, PI f96af95) does not pass or is not asked, each with its reason."""

from __future__ import annotations

import inspect
from collections.abc import Mapping

import pytest

ROLES = "PI has one role"
ARBITRATION = "the highest id connected is PI's primary, an unset one counts as 0"
CODES = "PI answers with other codes"
IS_CONST = "PI knows neither is_const nor the priorities of the program's own entries"
FILTERS = "PI does not filter reads"
REGISTERS = "PI has no registers"
TAKES = "PI takes it"
SETTLED = "PI has no atomicity but CONTINUE_ON_ERROR"

STREAM_ERRORS = "PI reports no stream errors"
TRANSLATION = "PI imports no P4Info with string types"
UNSEEN = "it looks at what is behind the server"
OWN_FAR_END = {"test_main", "test_native", "test_floods"}

REASONS: Mapping[str, str] = {
    "test_backups_hear_that_the_primary_left": ARBITRATION,
    "test_ending_the_stream_politely_is_leaving_too": ARBITRATION,
    "test_a_primary_can_step_down": ARBITRATION,
    "test_without_election_id_a_client_stays_backup": ARBITRATION,
    "test_election_id_0_is_one": ARBITRATION,
    "test_a_roles_config_is_that_of_its_primary": ROLES,
    "test_an_election_id_belongs_to_one_client": "PI's message is another",
    "test_another_device": "PI makes a device of any id that it hears",
    "test_a_stream_keeps_device_and_role": ROLES,
    "test_streams_are_bounded": "PI takes 16 streams",
    "test_roles_have_primaries_of_their_own": ROLES,
    "test_a_role_touches_only_its_objects": ROLES,
    "test_a_role_nobody_arbitrated_for": ROLES,
    "test_a_role_config_of_another_scheme": ROLES,
    "test_direct_wildcards": "PI reads direct counters and meters of one table at a time",
    "test_wrong_direct_resources": CODES,
    "test_wrong_replication": "PI takes ports and instances that the switch has not",
    "test_digest_configuration": "PI reads one digest at a time",
    "test_reads_answer_what_they_can": "PI's reads have no details",
    "test_a_good_batch_is_the_same_whatever_its_atomicity": SETTLED,
    "test_without_a_pipeline_there_is_no_config": CODES,
    "test_what_the_compiler_left_out_may_be_all_there_is": CODES,
    "test_a_field_without_width_has_the_programs": "PI imports no P4Info with such a field",
    "test_ids_are_unique_and_not_0": "PI takes them or aborts",
    "test_all_externs_are_none": CODES,
    "test_capabilities": "PI serves version 1.3.0",
    "test_a_new_commit_starts_empty": REGISTERS,
    "test_reconcile_gives_up_cells_that_are_gone": "PI replays meters as INSERT, which it refuses",
    "test_the_first_config_may_be_a_reconciliation": "PI aborts",
    "test_a_table_that_the_compiler_removed": CODES,
    "test_everything_finsy_says": REGISTERS,
    "test_errors_name_the_update": CODES,
    "test_profile_without_selector_is_bounded": "BMv2's action profiles have no bound",
    "test_packet_out_carries_its_metadata": UNSEEN,
    "test_wrong_packet_out_metadata": STREAM_ERRORS,
    "test_packet_out_without_a_pipeline": STREAM_ERRORS,
    "test_only_the_primary_sends_packets": STREAM_ERRORS,
    "test_roles_hear_the_packets_they_asked_for": ROLES,
    "test_a_flood_of_packet_ins_holds_up_nobody": UNSEEN,
    "test_ack_of_an_unknown_digest": STREAM_ERRORS,
    "test_ack_of_another_roles_digest": ROLES,
    "test_other_stream_messages": STREAM_ERRORS,
    "test_entries_read_back_as_written": IS_CONST,
    "test_registers": REGISTERS,
    "test_wrong_cells[counter past the end]": CODES,
    "test_wrong_cells[counter negative]": TAKES,
    "test_wrong_cells[counter deleted]": TAKES,
    "test_wrong_cells[meter past the end]": CODES,
    "test_wrong_cells[meter negative]": "-1 is no limit to PI",
    "test_wrong_cells[meter pir below cir]": CODES,
    "test_wrong_cells[meter eburst]": "PI is of a time before eburst",
    "test_wrong_cells[register past the end]": REGISTERS,
    "test_wrong_cells[register too wide]": REGISTERS,
    "test_wrong_cells[register empty]": REGISTERS,
    "test_wrong_cells[register of another type]": REGISTERS,
    "test_wrong_cells[register without data]": REGISTERS,
    "test_wrong_cells[register deleted]": REGISTERS,
    "test_value_sets": "PI neither reads nor writes value sets",
    "test_replication": "PI keeps no metadata of a group",
    "test_a_failed_batch_leaves_nothing_behind": SETTLED,
    "test_an_atomicity_that_there_is_not": SETTLED,
    "test_refusals[member 0]": TAKES,
    "test_refusals[deleted member in a group]": CODES,
    "test_refusals[deleted member in an entry]": CODES,
    "test_refusals[group 0]": TAKES,
    "test_refusals[group without selector]": TAKES,
    "test_refusals[deleted group in an entry]": CODES,
    "test_refusals[entry of missing member]": CODES,
    "test_refusals[entry of missing group]": CODES,
    "test_action_sets_stay_action_sets": "PI keeps a selector that had members from action sets",
    "test_action_sets_can_be_empty_and_go_away": "PI takes no empty action set",
    "test_a_default_only_action_is_not_for_members": TAKES,
    "test_weights_are_bounded_by_the_group_or_each": "PI knows sum_of_weights only",
    "test_wrong_action_sets[sum above max_group_size]": CODES,
    "test_wrong_action_sets[port too high]": TAKES,
    "test_what_the_program_fixes_is_denied[insert into const]": CODES,
    "test_what_the_program_fixes_is_denied[delete of const]": IS_CONST,
    "test_what_the_program_fixes_is_denied[delete from const]": CODES,
    "test_what_the_program_fixes_is_denied[metadata of const]": CODES,
    "test_what_the_program_fixes_is_denied[cookie of const]": CODES,
    "test_no_write_may_set_is_const": IS_CONST,
    "test_what_the_program_fixes_is_denied[action of const]": IS_CONST,
    "test_errors_are_told_for_each_update": CODES,
    "test_full_table": CODES,
    "test_malformed_entries_are_invalid[lpm value empty]": TAKES,
    "test_malformed_entries_are_invalid[exact empty]": TAKES,
    "test_malformed_entries_are_invalid[range of all]": TAKES,
    "test_malformed_entries_are_invalid[optional empty]": TAKES,
    "test_malformed_entries_are_invalid[priority negative]": CODES,
    "test_malformed_entries_are_invalid[param empty]": TAKES,
    "test_malformed_entries_are_invalid[set without selector]": CODES,
    "test_malformed_entries_are_invalid[is_const]": TAKES,
    "test_malformed_entries_are_invalid[keyless table]": CODES,
    "test_const_entries_let_their_counters_be_set": IS_CONST,
    "test_modify_without_action_keeps_it": "PI wants an action",
    "test_all_default_entries_at_once": IS_CONST,
    "test_malformed_default_entries[Entity1]": "PI takes an idle timeout there",
    "test_const_entries_read_with_the_programs_priorities": IS_CONST,
    "test_reads_filter": FILTERS,
    "test_default_entries_filter_too": FILTERS,
    "test_reads_that_mean_nothing": FILTERS,
    "test_many_entries_come_in_chunks": "PI answers in one message",
    "test_last_hit_is_told_when_asked_for": "only the pipeline in memory was hit 42 ns ago",
}


def reason(item: pytest.Item) -> str | None:
    """Why a test does not run against BMv2, or None."""
    assert isinstance(item, pytest.Function)
    if "address" not in item.fixturenames or item.path.stem in OWN_FAR_END:
        return "it has no far end, or one of its own"
    if item.path.stem == "test_translation":
        return TRANSLATION
    if "device" in inspect.signature(item.function).parameters:
        return UNSEEN
    return REASONS.get(item.name) or REASONS.get(item.originalname)
