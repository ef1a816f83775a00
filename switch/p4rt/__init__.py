"""P4Runtime 1.4 served on a running pipeline (p4.org, "P4Runtime Specification", version 1.4.1).

Sections cited as "§ n" throughout this package are that document's. `server` is the way in; the rest, from
the bottom up:

    errors values           gRPC codes with their reason; canonical byte strings
    p4types program p4info  what P4Info and the program's JSON say, as an index
    codec                   keys and actions, wire to program and back
    tables profiles arrays replication
                            what clients wrote, one class a kind of entity
    state write read        all of that for one pipeline; batches of updates; queries
    roles arbitration       who may do what
    digests packetio mailbox session
                            what flows on a StreamChannel
    device config           programs: verified, saved, committed, reconciled
    server                  the gRPC service, which only dispatches
"""
