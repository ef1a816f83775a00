/* SRv6 (RFC 8754, RFC 8986): requests bound to a site elsewhere may go there by a list of segments, so that a path or slice is
 * pinned. The client's router encapsulates, routers that own a segment send on to the next, and the owner of the last one unpacks. */

#ifndef CFN_SEGMENTS
#define CFN_SEGMENTS

#include "headers.p4"
#include "ids.p4"
#include "metadata.p4"
#include "sizes.p4"

control Encapsulate(inout headers_t hdr, inout metadata_t meta) {
    bit<32> label = 0;
    bit<16> inner = meta.is_ipv6 == 1 ? hdr.ipv6.payload_len |+| IPV6_BYTES : hdr.ipv4.total_len;

    /* Segments stand in the header from last to first (RFC 8754, section 2). */
    action encapsulate(bit<8> last, ipv6_t src, bit<16> mtu, ipv6_t first) {
        hdr.outer.setValid();
        hdr.outer = { 6, 0, 0, inner |+| (SRH_BYTES + (((bit<16>)last + 1) << 4)), PROTO_ROUTING, REPLY_TTL, src, first };
        hdr.srh.setValid();
        hdr.srh = { meta.is_ipv6 == 1 ? PROTO_IPV6 : PROTO_IPV4, (last + 1) << 1, ROUTING_SEGMENTS, last, last, 0, 0 };
        hdr.ethernet.ether_type = EtherType.IPV6;
        meta.encapsulated = 1;
        meta.overhead = IPV6_BYTES + SRH_BYTES + (((bit<16>)last + 1) << 4);
        meta.path_mtu = mtu;
        meta.dst = first;
    }

    @id(ID_A_VIA_1)
    action via_1(ipv6_t src, bit<16> mtu, ipv6_t segment) {
        encapsulate(0, src, mtu, segment);
        hdr.segments[0].setValid();
        hdr.segments[0].address = segment;
    }

    @id(ID_A_VIA_2)
    action via_2(ipv6_t src, bit<16> mtu, ipv6_t segment_1, ipv6_t segment_2) {
        encapsulate(1, src, mtu, segment_1);
        hdr.segments[0].setValid();
        hdr.segments[0].address = segment_2;
        hdr.segments[1].setValid();
        hdr.segments[1].address = segment_1;
    }

    @id(ID_A_VIA_3)
    action via_3(ipv6_t src, bit<16> mtu, ipv6_t segment_1, ipv6_t segment_2, ipv6_t segment_3) {
        encapsulate(2, src, mtu, segment_1);
        hdr.segments[0].setValid();
        hdr.segments[0].address = segment_3;
        hdr.segments[1].setValid();
        hdr.segments[1].address = segment_2;
        hdr.segments[2].setValid();
        hdr.segments[2].address = segment_1;
    }

    /* By the shortest path, whatever a row of lower priority says. */
    @id(ID_A_DIRECT)
    action direct() { }

    @id(ID_T_SEGMENT_LIST)
    table segment_list {
        key = {
            meta.bound.site : exact @name("site");
            meta.service    : ternary @name("service");
            meta.class_id   : ternary @name("class_id");
        }
        actions = { via_1; via_2; via_3; direct; @defaultonly NoAction; }
        size = SEGMENT_LISTS;
    }

    action set_label() {
        hdr.outer.flow_label = label[19:0];
    }

    /* One flow keeps one label (RFC 6437), by which routers on the way tell flows apart. */
    apply {
        segment_list.apply();
        if (meta.encapsulated == 1) {
            hash(label, HashAlgorithm.crc32, 32w0, { hdr.udp.src_port, hdr.cfn.func_id, meta.src }, 33w0x100000000);
            set_label();
        }
    }
}

/* A packet to a segment of this router's. */
control EndSegment(inout headers_t hdr, inout metadata_t meta, inout standard_metadata_t std) {
    action next_segment(ipv6_t segment) {
        hdr.srh.segments_left = hdr.srh.segments_left - 1;
        hdr.outer.dst_addr = segment;
        meta.dst = segment;
        meta.path = Path.ROUTE;
    }

    action unpack(EtherType inner) {
        hdr.ethernet.ether_type = inner;
        hdr.outer.setInvalid();
        hdr.srh.setInvalid();
        hdr.segments.pop_front(SEGMENTS);
        meta.path = Path.AGAIN;
        meta.again = Again.UNPACKED;
        meta.outcome = Outcome.DECAPSULATED;
        std.egress_spec = meta.port;
    }

    action drop() {
        meta.path = Path.DROP;
        meta.outcome = Outcome.DROP_SEGMENT;
    }

    apply {
        if (!hdr.segments[0].isValid() || hdr.srh.segments_left > hdr.srh.last_entry) {
            drop();
        } else if (hdr.srh.segments_left == 0) {
            if (hdr.srh.next_header == PROTO_IPV4) {
                unpack(EtherType.IPV4);
            } else if (hdr.srh.next_header == PROTO_IPV6) {
                unpack(EtherType.IPV6);
            } else {
                drop();
            }
        } else if (hdr.srh.segments_left == 1) {
            next_segment(hdr.segments[0].address);
        } else if (hdr.srh.segments_left == 2) {
            next_segment(hdr.segments[1].address);
        } else {
            next_segment(hdr.segments[2].address);
        }
    }
}

#endif
