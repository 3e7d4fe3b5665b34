# api.sh: a page of a campaign's queue for 200 clients at once, beside Express and pg that read the
# same page of the same database and ask nobody who they are.

api_entries=10000

bench_api() {
  local page=/api/admin/campaign-management/campaigns/1/queue?limit=50
  local cookie requests=${BENCH_REQUESTS:-10000} ours_rate ours_cpu ours_pg
  prepare_express
  make_database api
  seed_api
  start_gateway api
  cookie=$(sign_in)
  measure_page gateway "$page" "$cookie" "$requests"
  ours_rate=$rate ours_cpu=$cpu_us ours_pg=$pg_us
  stop "$pid"
  start_express api
  measure_page express "$page" none "$requests"
  stop "$pid"
  printf 'api of 200 clients: %s/s beside %s/s\n' "$ours_rate" "$rate"
  verdict api "$(awk "BEGIN { print $ours_cpu + $ours_pg }")" \
    "$(awk "BEGIN { print $cpu_us + $pg_us }")" 1 most us
}

seed_api() {
  sql api -v entries=$api_entries <<'SQL'
INSERT INTO campaigns (name, caller_id) VALUES ('bench', '+14155550100');
INSERT INTO data_lists (campaign_id, name) VALUES (1, 'bench');
INSERT INTO contacts (list_id, phone, first_name, last_name)
	SELECT 1, '+1' || (4150000000 + g), 'First ' || g, 'Last ' || g
	FROM generate_series(1, :entries) g;
INSERT INTO queue_entries (campaign_id, contact_id) SELECT 1, id FROM contacts ORDER BY id;
VACUUM ANALYZE;
CHECKPOINT;
SQL
}

# The session's cookie.
sign_in() {
  curl -sS -o /dev/null -D - -H 'Content-Type: application/json' \
    -d '{"username":"admin","password":"bench-password"}' "http://127.0.0.1:$port/api/auth/login" |
    sed -n 's/^[Ss]et-[Cc]ookie: \([^;]*\);.*/\1/p'
}

measure_page() { # LABEL TARGET COOKIE COUNT
  local out before pg_before
  "$build/bench/load" get "$port" "$2" "$3" 8 1 200 >"$work/load.log" ||
    { cat "$work"/*.log >&2; die "$1 refused the load"; }
  before=$(ticks "$pid") pg_before=$(ticks "$pg_pid")
  out=$("$build/bench/load" get "$port" "$2" "$3" 200 1 "$4") || { cat "$work"/*.log >&2; die "$1: $out"; }
  tell "$1" page "$out" $(($(ticks "$pid") - before)) $(($(ticks "$pg_pid") - pg_before))
}
