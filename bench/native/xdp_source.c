#define _GNU_SOURCE
#include "xdp_source.h"

#include <errno.h>
#include <linux/bpf.h>
#include <net/if.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { BATCH = 64 };

#define INSN(op, dst, src, offset, immediate) \
    ((struct bpf_insn){.code = (op), .dst_reg = (dst), .src_reg = (src), .off = (offset), .imm = (immediate)})
#define MOVE(dst, src) INSN(BPF_ALU64 | BPF_MOV | BPF_X, dst, src, 0, 0)
#define LOAD(dst, value) INSN(BPF_ALU64 | BPF_MOV | BPF_K, dst, 0, 0, value)
#define CALL(helper) INSN(BPF_JMP | BPF_CALL, 0, 0, 0, helper)

static long bpf(enum bpf_cmd command, union bpf_attr *attributes)
{
    return syscall(SYS_bpf, command, attributes, sizeof *attributes);
}

/* An array of all frames, for the program to copy from. */
static int make_map(const struct frames *frames)
{
    union bpf_attr create = {
        .map_type = BPF_MAP_TYPE_ARRAY,
        .key_size = sizeof(uint32_t),
        .value_size = (uint32_t)frames->length,
        .max_entries = (uint32_t)frames->count,
    };
    int map = (int)bpf(BPF_MAP_CREATE, &create);
    for (uint32_t key = 0; map >= 0 && key < frames->count; key++) {
        union bpf_attr update = {
            .map_fd = (uint32_t)map,
            .key = (uintptr_t)&key,
            .value = (uintptr_t)frame_at(frames, key),
        };
        if (bpf(BPF_MAP_UPDATE_ELEM, &update) < 0)
            return -1;
    }
    return map;
}

/* key = random % count; copy frame `key` over the packet; redirect to the interface. */
static int load_program(int map, const struct frames *frames, unsigned interface_index)
{
    const struct bpf_insn code[] = {
        MOVE(BPF_REG_6, BPF_REG_1),
        CALL(BPF_FUNC_get_prandom_u32),
        INSN(BPF_ALU | BPF_MOD | BPF_K, BPF_REG_0, 0, 0, (int)frames->count),
        INSN(BPF_STX | BPF_MEM | BPF_W, BPF_REG_10, BPF_REG_0, -4, 0),
        INSN(BPF_LD | BPF_IMM | BPF_DW, BPF_REG_1, BPF_PSEUDO_MAP_FD, 0, map),
        INSN(0, 0, 0, 0, 0), /* second half of the 64-bit load */
        MOVE(BPF_REG_2, BPF_REG_10),
        INSN(BPF_ALU64 | BPF_ADD | BPF_K, BPF_REG_2, 0, 0, -4),
        CALL(BPF_FUNC_map_lookup_elem),
        INSN(BPF_JMP | BPF_JEQ | BPF_K, BPF_REG_0, 0, 9, 0), /* to the drop; the verifier asks for it */
        MOVE(BPF_REG_1, BPF_REG_6),
        LOAD(BPF_REG_2, 0),
        MOVE(BPF_REG_3, BPF_REG_0),
        LOAD(BPF_REG_4, (int)frames->length),
        CALL(BPF_FUNC_xdp_store_bytes),
        LOAD(BPF_REG_1, (int)interface_index),
        LOAD(BPF_REG_2, 0),
        CALL(BPF_FUNC_redirect),
        INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0),
        LOAD(BPF_REG_0, XDP_DROP),
        INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0),
    };
    union bpf_attr load = {
        .prog_type = BPF_PROG_TYPE_XDP,
        .insns = (uintptr_t)code,
        .insn_cnt = sizeof code / sizeof *code,
        .license = (uintptr_t) "Apache-2.0",
    };
    return (int)bpf(BPF_PROG_LOAD, &load);
}

long xdp_source_send(int program, const struct frames *frames, unsigned count)
{
    union bpf_attr run = {
        .test = {
            .prog_fd = (uint32_t)program,
            .data_in = (uintptr_t)frames->bytes,
            .data_size_in = (uint32_t)frames->length,
            .repeat = count,
            .flags = BPF_F_TEST_XDP_LIVE_FRAMES,
            .batch_size = BATCH,
        }};
    if (bpf(BPF_PROG_TEST_RUN, &run) == 0)
        return count;
    return errno == EINTR ? 0 : -1;
}

int xdp_source_open(const char *interface, const struct frames *frames)
{
    unsigned index = if_nametoindex(interface);
    if (!index)
        return -1;
    int map = make_map(frames);
    if (map < 0)
        return -1;
    int program = load_program(map, frames, index);
    int error = errno;
    close(map); /* the program holds it */
    errno = error;
    if (program < 0 || xdp_source_send(program, frames, 1) < 0)
        return -1;
    return program;
}
