#!/usr/bin/env bash
# valgrind: the unit tests but those of database, sandbox and sound under memcheck: libraries as well as we.
#
# UNITS="build/tests/unit/test_x ..." chooses others.
. "$(dirname "$0")/../script/lib.sh"
cd "$top"

"$top/script/setup" --tests
need_packages valgrind
make -s -C "$build/tests" -j"$(nproc)" check-programs >&2

# PostgreSQL, sound and the sandbox's clock are too slow under it; so is a peer of test_sip_dialog,
# to which requests are sent again meanwhile.
mapfile -t units < <(find "$build/tests/unit" -maxdepth 1 -type f -perm -u+x ! -name '*.*' \
  ! -name 'test_db_*' ! -name 'test_sandbox_*' ! -name 'test_uas*' ! -name test_sound \
  ! -name test_mixer ! -name test_rtp_relay ! -name test_rtp_ports ! -name test_tools \
  ! -name test_sip_dialog | sort)
[ -z "${UNITS:-}" ] || read -ra units <<<"$UNITS"
export CMOCKA_MESSAGE_OUTPUT=TAP
exec prove --timer --exec "valgrind --quiet --error-exitcode=99 --leak-check=full
  --errors-for-leak-kinds=definite --show-leak-kinds=definite --suppressions=soak/valgrind.supp" "${units[@]}"
