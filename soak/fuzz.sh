#!/usr/bin/env bash
# fuzz: an hour of every fuzzer, two at a time (FUZZ_SECONDS=3600), from a seed of its own.
. "$(dirname "$0")/../script/lib.sh"

"$top/script/setup" --tests
FUZZ_SECONDS=${FUZZ_SECONDS:-3600} FUZZ_SEED=${FUZZ_SEED:-0} exec prove --timer --verbose --exec '' "$top/script/fuzz"
