# twiml.sh: TwiML answers, ours with a look-up and a claim in the database, the peer's with none.

bench_twiml() {
  take_turns twiml "$legs" ''
  verdict twiml "$(twiml_rate gateway)" "$(twiml_rate express)" 3 least /s
}

twiml_rate() { awk -v n="$legs" -v s="${seconds[$1]}" 'BEGIN { printf "%.0f", n / s }'; }
