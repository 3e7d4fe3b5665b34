# webhook.sh: signed status webhooks, stored: CPU time beside Express, twilio and pg that write the
# same rows; and how soon each is answered when 2,000 a second arrive by the clock, a third of them
# of the conference.

bench_webhook() {
  local our_port our=(0 0) their=(0 0) ours peer turn gateway express their_port requests=$((4 * calls))
  prepare_sides
  start_gateway gateway
  gateway=$pid our_port=$port
  start_express express
  express=$pid their_port=$port
  port=$our_port warm_up gateway webhook
  port=$their_port warm_up express webhook
  # In ten turns, the other standing still, so that a machine that is faster for a while favours nobody.
  for turn in {0..9}; do
    still "$express"
    pid=$gateway port=$our_port measure_turn gateway "$turn"
    our=($((our[0] + cpu)) $((our[1] + pg)))
    still "$gateway"
    go "$express"
    pid=$express port=$their_port measure_turn express "$turn"
    their=($((their[0] + cpu)) $((their[1] + pg)))
    go "$gateway"
  done
  stop "$express"
  stop "$gateway"
  ours=$(rows gateway) peer=$(rows express)
  [ "$ours" = "$peer" ] || die "$(printf 'the rows differ:\ngateway %s\nexpress %s' "$ours" "$peer")"
  verdict webhook "$(per_request "${our[0]}" $requests)" \
    "$(per_request "${their[0]}" $requests)" 0.125 most us
  verdict webhook+postgresql "$(per_request $((our[0] + our[1])) $requests)" \
    "$(per_request $((their[0] + their[1])) $requests)" 0.2 most us
  answered_in_time
}

# A tenth of the calls; sets cpu and pg, in ticks.
measure_turn() { # LABEL TURN
  local out before pg_before share=$((calls / 10))
  before=$(ticks "$pid") pg_before=$(ticks "$pg_pid")
  out=$("$build/bench/load" webhook "$port" $public $token "$connections" \
    $((warm + 1 + $2 * share)) $share) || { cat "$work"/*.log >&2; die "$1: $out"; }
  cpu=$(($(ticks "$pid") - before)) pg=$(($(ticks "$pg_pid") - pg_before))
  [ "$2" -lt 9 ] || tell "$1" webhook "$out" "$cpu" "$pg"
}

# 2,000 a second by the clock, for as long as the calls of one figure last: their statuses, and their
# customers, who join and leave the conference.
answered_in_time() {
  local out first=$((warm + calls + 1)) stored
  start_gateway gateway
  out=$("$build/bench/load" life "$port" $public $token 64 "$first" "$calls" 2000) ||
    { cat "$work/gateway.log" >&2; die "webhooks at 2,000/s: $out"; }
  stop "$pid"
  stored=$(sql gateway -At -c "SELECT count(*) FROM call_events WHERE call_id >= $first")
  [ "$stored" = $((6 * calls)) ] || die "webhooks at 2,000/s: $stored of $((6 * calls)) are stored"
  printf 'gateway    webhook at %s/s  p50 %s us  p99 %s us\n' "$(field "$out" rate)" \
    "$(field "$out" p50_us)" "$(field "$out" p99_us)"
  limit webhook-p50 "$(field "$out" p50_us)" 10000 us
  limit webhook-p99 "$(field "$out" p99_us)" 100000 us
}
