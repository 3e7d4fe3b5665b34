#!/usr/bin/env bash
# distcheck: the tarball builds away from its sources, passes make check, installs and uninstalls.
. "$(dirname "$0")/../script/lib.sh"

"$top/script/setup" --tests
exec make -s -C "$build" -j"$(nproc)" distcheck
