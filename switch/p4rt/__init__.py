"""P4Runtime 1.4 served on a running pipeline (p4.org, "P4Runtime Specification", version 1.4.1).

Sections cited as "§ n" throughout this package are that document's. `server.serve` is the way in. From the
bottom up, each module knowing only those above it:

    errors values undo      codes with their reason; canonical byte strings; how to take a change back
    program translation fields p4types p4info_ids p4info
                            what P4Info and the program's JSON say, as an index
    codec meters context    keys, actions and rates, wire to program and back
    profiles one_shots      members, groups and action sets
    entries tables          table entries with their direct resources
    arrays replication digests
                            counters, meters, registers, value sets; groups and sessions; digest lists
    state write read        all of that for one pipeline; batches of updates; queries
    roles arbitration       who may do what
    device reconcile config programs: verified, saved, committed, with or without their state
    mailbox packetio session events
                            what flows on a StreamChannel, and from the data plane's threads to it
    address server          where it listens; the gRPC service, which only dispatches
"""
