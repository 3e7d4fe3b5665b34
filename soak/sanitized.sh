#!/usr/bin/env bash
# sanitized: every integration test with gateway and sandbox under AddressSanitizer.
. "$(dirname "$0")/../script/lib.sh"
cd "$top"

"$top/script/setup" --tests
configure_in build/asan --enable-werror --enable-sanitizers CFLAGS='-O1 -g'
make -s -C build/asan -j"$(nproc)" >&2
make -s -C build/asan/tests -j"$(nproc)" check-programs >&2
# The shim that kills workers is loaded before everything, the sanitizer's runtime too.
# 052_calls measures memory, so what was freed is kept back for a short while only.
export ASAN_OPTIONS=detect_stack_use_after_return=1:verify_asan_link_order=0:quarantine_size_mb=4
ASAN_OPTIONS+=:thread_local_quarantine_size_kb=64
OVX_BUILD=$top/build/asan exec prove --timer --exec '' tests/integration/*.t
