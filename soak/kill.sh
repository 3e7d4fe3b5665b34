#!/usr/bin/env bash
# kill: kill -9 at every 5th system call of one call's life, then at 1,000 random points of campaigns of 300 under faults, on one node and on two.
# KILL_POINTS, KILL_CONTACTS and KILL_STEP make it smaller. A state in which nothing was killed fails.
. "$(dirname "$0")/../script/lib.sh"

points=${KILL_POINTS:-1000}
contacts=${KILL_CONTACTS:-300}
step=${KILL_STEP:-5}
log=$top/build/kill.log
LIFE_MAX=3000 # system calls of the worker in one call's life, and then some

"$top/script/setup" --tests
cd "$top"
export OVX_BUILD=$build
result=0
say "every ${step}th system call of a call's life, until a life is over before its kill"
OVX_KILL_STEP=$step OVX_KILL_TRIALS=$((LIFE_MAX / step)) OVX_KILL_WHOLE=1 \
  prove --timer -v tests/integration/140_kill_matrix.t >"$log.run" 2>&1 || result=1
grep -v '^ok' "$log.run" | tee "$log" >&2

killed=0
run=0
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
awk 'BEGIN { states = split("none claimed placing ambiguous queued ringing answered bridged", state) }
  $1 == "#" { n[$2] += $3 }
  / kills, / { k += $2; d += $4; h += $7 }
  END { for (i = 1; i <= states; i++) {
      printf "%-12s %8d\n", state[i], n[state[i]]
      if (n[state[i]] == 0) missing = missing " " state[i]
    }
    printf "%d kills, %d double dials, %d things held\n", k, d, h
    if (missing) print "no kill in state:" missing
    exit missing != "" }' "$log" || result=1
exit $result
