# twiml.sh: TwiML answers, ours with a look-up and a claim in the database, the peer's with none.

bench_twiml() {
  local ours
  prepare_sides
  start_gateway gateway
  measure gateway twiml "$legs"
  ours=$rate
  stop "$pid"
  start_express ''
  measure express twiml "$legs"
  stop "$pid"
  verdict twiml "$ours" "$rate" 3 least /s
}
