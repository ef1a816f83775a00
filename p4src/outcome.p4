/* One counter for everything that can become of a packet; nothing leaves or is dropped uncounted. What is bound
 * to a member also counts as its. */

#ifndef CFN_OUTCOME
#define CFN_OUTCOME

#include "headers.p4"
#include "ids.p4"
#include "metadata.p4"
#include "sizes.p4"

control CountOutcome(inout metadata_t meta) {
    direct_counter(CounterType.packets_and_bytes) outcomes;

    @id(ID_C_BOUND)
    counter(SLOTS, CounterType.packets_and_bytes) bound;

    action count() {
        outcomes.count();
    }

    @id(ID_T_OUTCOME)
    table outcome {
        key = { meta.outcome : exact @name("outcome"); }
        actions = { count; @defaultonly NoAction; }
        const entries = {
            Outcome.BOUND_NEW             : count();
            Outcome.BOUND_BY_COOKIE       : count();
            Outcome.REBOUND_FORGED        : count();
            Outcome.REBOUND_EXPIRED       : count();
            Outcome.REBOUND_DEAD          : count();
            Outcome.BOUND_TO_RIVAL        : count();
            Outcome.BOUND_BY_FLOW         : count();
            Outcome.BOUND_FLOW_UNKEPT     : count();
            Outcome.BOUND_TO_INPUT        : count();
            Outcome.RESPONDED             : count();
            Outcome.RESPONSE_PASSED       : count();
            Outcome.RESPONSE_UNVERIFIED   : count();
            Outcome.RESPONSE_RELAYED      : count();
            Outcome.CHAINED               : count();
            Outcome.BOUND_TO_RESULT       : count();
            Outcome.PREFETCHED            : count();
            Outcome.DECAPSULATED          : count();
            Outcome.ROUTED                : count();
            Outcome.ARP_ANSWERED          : count();
            Outcome.ND_ANSWERED           : count();
            Outcome.ECHO_ANSWERED         : count();
            Outcome.TIME_EXCEEDED         : count();
            Outcome.TOO_BIG               : count();
            Outcome.PROBE_ECHOED          : count();
            Outcome.PROBE_RETURNED        : count();
            Outcome.EMITTED               : count();
            Outcome.DROP_NOT_FOR_US       : count();
            Outcome.DROP_BAD_CHECKSUM     : count();
            Outcome.DROP_BAD_HEADER       : count();
            Outcome.DROP_NO_ROUTE         : count();
            Outcome.DROP_TTL              : count();
            Outcome.DROP_LOCAL            : count();
            Outcome.DROP_STRAY            : count();
            Outcome.DROP_TOO_BIG          : count();
            Outcome.DROP_PROBE            : count();
            Outcome.DROP_PREFETCH         : count();
            Outcome.DROP_SEGMENT          : count();
            Outcome.NACK_UNKNOWN_FUNCTION : count();
            Outcome.NACK_NOT_PERMITTED    : count();
            Outcome.NACK_NO_CAPACITY      : count();
            Outcome.NACK_DEMAND_UNMET     : count();
            Outcome.NACK_HOP_LIMIT        : count();
            Outcome.NACK_MALFORMED        : count();
            Outcome.NACK_RATE_EXCEEDED    : count();
            Outcome.NACK_UNAUTHENTICATED  : count();
            Outcome.NACK_TOO_BIG          : count();
            Outcome.NACK_CHAIN_BROKEN     : count();
        }
        counters = outcomes;
    }

    action is_refused() {
        meta.outcome = (Outcome)(OUTCOME_OF_NACK + (bit<8>)meta.nack);
    }

    apply {
        if (meta.again == Again.REFUSED && meta.path == Path.RESPOND) {
            is_refused();
        }
        if (meta.again != Again.REFUSED || meta.path != Path.AGAIN) {
            outcome.apply();
        }
        if (meta.path == Path.STEER) {
            bound.count((bit<32>)meta.bound.slot);
        }
    }
}

#endif
