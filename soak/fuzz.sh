#!/usr/bin/env bash
# fuzz: an hour of every fuzzer, two at a time (FUZZ_SECONDS=3600).
. "$(dirname "$0")/../script/lib.sh"

"$top/script/setup" --tests
FUZZ_SECONDS=${FUZZ_SECONDS:-3600} exec prove --timer --verbose --exec '' "$top/script/fuzz"
