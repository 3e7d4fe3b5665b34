# twiml.sh: TwiML answers, ours with a look-up and a claim in the database, the peer's with none.

bench_twiml() {
  local ours=0 theirs=0 turn gateway express our_port their_port out
  prepare_sides
  start_gateway gateway
  gateway=$pid our_port=$port
  start_express ''
  express=$pid their_port=$port
  port=$our_port warm_up gateway twiml
  port=$their_port warm_up express twiml
  # In ten turns, the other standing still, so that a machine that is faster for a while favours nobody.
  for turn in {0..9}; do
    still "$express"
    pid=$gateway port=$our_port twiml_turn gateway "$turn"
    ours=$(awk -v a="$ours" -v b="$(field "$out" seconds)" 'BEGIN { print a + b }')
    still "$gateway"
    go "$express"
    pid=$express port=$their_port twiml_turn express "$turn"
    theirs=$(awk -v a="$theirs" -v b="$(field "$out" seconds)" 'BEGIN { print a + b }')
    go "$gateway"
  done
  stop "$express"
  stop "$gateway"
  verdict twiml "$(twiml_rate "$ours")" "$(twiml_rate "$theirs")" 3 least /s
}

# A tenth of the legs; sets out, what the load tells.
twiml_turn() { # LABEL TURN
  local before pg_before share=$((legs / 10))
  before=$(ticks "$pid") pg_before=$(ticks "$pg_pid")
  out=$("$build/bench/load" twiml "$port" $public $token "$connections" \
    $((warm + 1 + $2 * share)) $share) || { cat "$work"/*.log >&2; die "$1: $out"; }
  [ "$2" -lt 9 ] || tell "$1" twiml "$out" $(($(ticks "$pid") - before)) $(($(ticks "$pg_pid") - pg_before))
}

twiml_rate() { awk -v n="$legs" -v s="$1" 'BEGIN { printf "%.0f", n / s }'; }
