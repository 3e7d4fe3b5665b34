# webhook.sh: signed status webhooks, stored: CPU time beside Express, twilio and pg that write the
# same rows; and how soon each is answered when 2,000 a second arrive by the clock.

bench_webhook() {
  local ours peer our_cpu our_pg
  prepare_sides
  start_gateway gateway
  measure gateway webhook "$calls"
  our_cpu=$cpu_us our_pg=$pg_us
  stop "$pid"
  start_express express
  measure express webhook "$calls"
  stop "$pid"
  ours=$(rows gateway) peer=$(rows express)
  [ "$ours" = "$peer" ] || printf 'the rows differ:\ngateway %s\nexpress %s\n' "$ours" "$peer"
  verdict webhook "$our_cpu" "$cpu_us" 0.125 most us
  verdict webhook+postgresql "$(awk "BEGIN { print $our_cpu + $our_pg }")" \
    "$(awk "BEGIN { print $cpu_us + $pg_us }")" 0.2 most us
  answered_in_time
}

# 2,000 a second by the clock, for as long as the calls of one figure last.
answered_in_time() {
  local out
  start_gateway gateway
  out=$("$build/bench/load" webhook "$port" $public $token 64 $((warm + calls + 1)) "$calls" 2000) ||
    { cat "$work/gateway.log" >&2; die "webhooks at 2,000/s: $out"; }
  stop "$pid"
  printf 'gateway    webhook at %s/s  p50 %s us  p99 %s us\n' "$(field "$out" rate)" \
    "$(field "$out" p50_us)" "$(field "$out" p99_us)"
  limit webhook-p50 "$(field "$out" p50_us)" 10000 us
  limit webhook-p99 "$(field "$out" p99_us)" 100000 us
}
