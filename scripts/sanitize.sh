#!/usr/bin/env bash
# The switch's tests with its C code built by gcc under sanitizers: `address` (with undefined behaviour) or `thread`.
# usage: scripts/sanitize.sh address|thread PYTHON [arguments of pytest]
#
# Python itself is not built with them, so their runtime has to be loaded before it. Reports are in out/sanitize/, also
# those of switches that ran as processes of their own; one report fails the run.
set -euo pipefail
cd "$(dirname "$0")/.."

kind=$1 python=$2
shift 2
reports=out/sanitize/$kind
rm -rf "$reports"
mkdir -p "$reports"
chmod a+w "$reports" # nobody runs a switch too
command -v gcc >/dev/null || { echo "sanitize: gcc is not installed" >&2; exit 1; }
export CC=gcc

# Not here: tests of programs that don't bear a preloaded sanitizer (BMv2, p4c, fuzz targets with their own), and under `thread`
# those with gRPC, whose threads are not instrumented and whose fork handlers don't get along with it.
leave_out="not bmv2 and not is_fresh and not runs_clean"
ignore=(--ignore=tests/switch/test_fuzz.py)
case $kind in
address)
    flags="-fsanitize=address,undefined -fno-sanitize-recover=all"
    runtime=libasan.so
    # Python keeps memory until it ends.
    export ASAN_OPTIONS=detect_leaks=0:abort_on_error=1:log_path=$PWD/$reports/report
    export UBSAN_OPTIONS=print_stacktrace=1
    ;;
thread)
    flags="-fsanitize=thread"
    runtime=libtsan.so
    ignore+=(--ignore=tests/switch/p4rt --ignore=tests/switch/inspect/test_command.py)
    export TSAN_OPTIONS=die_after_fork=0:exitcode=0:log_path=$PWD/$reports/report
    ;;
*)
    echo "usage: $0 address|thread PYTHON [arguments of pytest]" >&2
    exit 2
    ;;
esac
export CFLAGS="-O1 -g -fno-omit-frame-pointer $flags"
preload=$(gcc -print-file-name=$runtime)
[[ $preload == /* ]] || { echo "sanitize: gcc has no $runtime: install its sanitizers" >&2; exit 1; }

# Compiled before, so that no test waits for it.
for program in tests/switch/programs/*.json tests/switch/p4rt/programs/*.json p4src/compiled/cfn.json; do
    "$python" -c 'import sys; from switch.build import build; from switch.generate import generate; from switch.load import load
build(generate(load(open(sys.argv[1], "rb").read())).source)' "$program"
done
LD_PRELOAD=$preload "$python" -m pytest "${ignore[@]}" -k "$leave_out" "${@:-tests/switch}"

# gRPC's own threads race, as far as can be told of code that is not instrumented; what concerns the switch names its code.
if found=$(grep -lE "cfn-switch/|switch/runtime/|program\.c" "$reports"/* 2>/dev/null); then
    head -n 60 $found
    echo "sanitize: reports of $kind are in $reports" >&2
    exit 1
fi
echo "sanitize: clean under $kind"
