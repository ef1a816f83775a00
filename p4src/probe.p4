/* Links to neighbouring routers, measured without synchronised clocks: the router's probe comes back with the time that the neighbour
 * held it, so that what is left of the round trip was spent on the link. The controller sends the probes (it says how often); this
 * router stamps them as they leave, and tells what it measured with each echo. */

#ifndef CFN_PROBE
#define CFN_PROBE

#include "headers.p4"
#include "metadata.p4"
#include "sizes.p4"

/* About the link at a port; told with each echo. */
struct link_report {
    bit<16> port;
    bit<32> sequence;      /* of the probe that came back */
    bit<32> returned;      /* probes that came back since the router started */
    bit<32> round_trip_us; /* smoothed; half of it is taken for the delay of one way */
    bit<32> jitter_us;     /* smoothed difference of consecutive round trips: RFC 3550, section 6.4.1 */
}

control Probe(inout headers_t hdr, inout metadata_t meta, inout standard_metadata_t std) {
    /* By port: probes returned, last and smoothed round trip, jitter (us), 32 bits each. */
    register<bit<128>>(PORTS) link;

    bit<32> port = (bit<32>)meta.port;
    bit<128> known = 0;
    bit<32> returned = 0;
    bit<32> last = 0;
    bit<32> smoothed = 0;
    bit<32> jitter = 0;
    bit<32> round_trip = 0;
    bit<32> difference = 0;

    action drop(Outcome outcome) {
        meta.path = Path.DROP;
        meta.outcome = outcome;
    }

    action reflect() {
        mac_t ours = hdr.ethernet.dst_addr;
        hdr.ethernet.dst_addr = hdr.ethernet.src_addr;
        hdr.ethernet.src_addr = ours;
        hdr.cfn.status = PROBE_ECHOES;
        std.egress_spec = meta.port;
        meta.path = Path.REFLECT;
        meta.outcome = Outcome.PROBE_ECHOED;
        meta.is_new_message = 1;
    }

    action turn_ipv4() {
        ipv4_t asked = hdr.ipv4.dst_addr;
        hdr.ipv4.dst_addr = hdr.ipv4.src_addr;
        hdr.ipv4.src_addr = asked;
    }

    action turn_ipv6() {
        ipv6_t asked = hdr.ipv6.dst_addr;
        hdr.ipv6.dst_addr = hdr.ipv6.src_addr;
        hdr.ipv6.src_addr = asked;
    }

    apply {
        if (meta.before.ttl != NEIGHBOUR_TTL || hdr.cfn.length != CFN_WORDS || hdr.udp.length != CFN_DATAGRAM) {
            drop(Outcome.DROP_PROBE);
        } else if (hdr.cfn.status == PROBE_ASKS) {
            reflect();
            if (meta.is_ipv6 == 1) {
                turn_ipv6();
            } else {
                turn_ipv4();
            }
        } else if (hdr.cfn.status == PROBE_ECHOES) {
            link.read(known, port);
            returned = known[127:96] + 1;
            last = known[95:64];
            smoothed = known[63:32];
            jitter = known[31:0];
            round_trip = std.ingress_global_timestamp[31:0] - hdr.cfn.timestamp - hdr.cfn.data_out[31:0];
            if (returned == 1) {
                smoothed = round_trip;
            } else {
                difference = round_trip > last ? round_trip - last : last - round_trip;
                smoothed = smoothed - (smoothed >> 3) + (round_trip >> 3);
                jitter = jitter - (jitter >> 4) + (difference >> 4);
            }
            link.write(port, returned ++ round_trip ++ smoothed ++ jitter);
            digest<link_report>(1, { (bit<16>)meta.port, hdr.cfn.request_id, returned, smoothed, jitter });
            drop(Outcome.PROBE_RETURNED);
        } else {
            drop(Outcome.DROP_PROBE);
        }
    }
}

/* In egress, with the clock that is nearest to the wire. */
control StampProbe(inout headers_t hdr, inout metadata_t meta, in standard_metadata_t std) {
    action leave() {
        hdr.cfn.timestamp = std.egress_global_timestamp[31:0];
        meta.is_new_message = 1;
    }

    action tell_residence() {
        hdr.cfn.data_out = 96w0 ++ (std.egress_global_timestamp - std.ingress_global_timestamp)[31:0];
    }

    apply {
        if (meta.path == Path.REFLECT) {
            tell_residence();
        } else if (hdr.cfn.kind == Kind.PROBE && hdr.udp.length == CFN_DATAGRAM) {
            leave();
        }
    }
}

#endif
