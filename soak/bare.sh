#!/usr/bin/env bash
# bare: both commands on a Debian 12 that has nothing but git (as root).
. "$(dirname "$0")/../script/lib.sh"
exec "$top/script/bare"
