# webhook.sh: signed status webhooks, stored: CPU time beside Express, twilio and pg that write the
# same rows; and how soon each is answered when 2,000 a second arrive by the clock, a third of them
# of the conference.

bench_webhook() {
  local ours peer requests=$((4 * calls))
  take_turns webhook "$calls" express
  ours=$(rows gateway) peer=$(rows express)
  [ "$ours" = "$peer" ] || die "$(printf 'the rows differ:\ngateway %s\nexpress %s' "$ours" "$peer")"
  verdict webhook "$(per_request "${cpu[gateway]}" $requests)" \
    "$(per_request "${cpu[express]}" $requests)" 0.125 most us
  verdict webhook+postgresql "$(per_request $((cpu[gateway] + pg[gateway])) $requests)" \
    "$(per_request $((cpu[express] + pg[express])) $requests)" 0.2 most us
  answered_in_time
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
