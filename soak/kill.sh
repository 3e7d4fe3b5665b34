#!/usr/bin/env bash
# kill: kill -9 at every 5th system call of one call's life, then at 1,000 random points of campaigns of 300 under faults, on one node and on two.
# KILL_POINTS, KILL_CONTACTS and KILL_TRIALS make it smaller.
. "$(dirname "$0")/../script/lib.sh"

points=${KILL_POINTS:-1000}
contacts=${KILL_CONTACTS:-300}
trials=${KILL_TRIALS:-100}
log=$top/build/kill.log

"$top/script/setup" --tests
cd "$top"
export OVX_BUILD=$build
result=0
say "every 5th system call of a call's life, $trials lives"
OVX_KILL_STEP=5 OVX_KILL_TRIALS=$trials prove --timer -v tests/integration/140_kill_matrix.t 2>&1 |
  grep -v '^ok' >&2 || result=1

killed=0
run=0
: >"$log"
while [ "$killed" -lt "$points" ]; do
  nodes=$((run % 2 + 1))
  run=$((run + 1))
  say "run $run: $contacts contacts, $nodes nodes, $killed of $points points so far"
  OVX_NODES=$nodes OVX_CONTACTS=$contacts prove --timer -v soak/kill_random.t >"$log.run" 2>&1 ||
    result=1
  grep -E '^(#|not ok)' "$log.run" | grep -v '/tmp/' | tee -a "$log" >&2
  more=$(sed -n 's/^# \([0-9]*\) kills, .*/\1/p' "$log.run")
  [ -n "$more" ] || die "run $run came to no end; see $log.run"
  killed=$((killed + more))
done

say "all runs together"
awk '$1 == "#" && $2 ~ /^(none|claimed|placing|ambiguous|queued|ringing|answered|bridged)$/ { n[$2] += $3 }
  / kills, / { k += $2; d += $4; h += $7 }
  END { for (s in n) printf "%-12s %8d\n", s, n[s]
    printf "%d kills, %d double dials, %d things held\n", k, d, h }' "$log"
exit $result
