/* What a packet can tell of its way; read by cffi too, so plain declarations only. switch/inspect/explain.py says what
 * each carries. */

enum trace_kind {
    TRACE_INGRESS,
    TRACE_STATE,
    TRACE_EXTRACT,
    TRACE_SELECT,
    TRACE_TRANSITION,
    TRACE_PARSED,
    TRACE_CONDITION,
    TRACE_LOOKUP,
    TRACE_ACTION,
    TRACE_EXIT,
    TRACE_FIELD,
    TRACE_COUNT,
    TRACE_METER,
    TRACE_READ,
    TRACE_WRITE,
    TRACE_LOG,
    TRACE_DIGEST,
    TRACE_CLONE_INGRESS,
    TRACE_CLONE_EGRESS,
    TRACE_MULTICAST,
    TRACE_COPY,
    TRACE_COPIED,
    TRACE_EGRESS,
    TRACE_DEPARSE,
    TRACE_EMIT,
    TRACE_DEPARSED,
    TRACE_SENT,
    TRACE_ENDED,
    TRACE_CUT
};
