# queue.sh: generate-queue of a campaign with a list of a million contacts, asked until all are queued.

bench_queue() {
  local from requests=0 rows=${BENCH_ROWS:-1000000} path=/api/admin/campaign-management/campaigns
  make_database queue
  sql queue -v rows="$rows" <<'SQL'
INSERT INTO campaigns (name, caller_id) VALUES ('bench', '+14155550100');
INSERT INTO data_lists (campaign_id, name) SELECT id, 'bench' FROM campaigns;
INSERT INTO contacts (list_id, phone)
	SELECT l.id, '+1' || (2000000000 + g) FROM data_lists l, generate_series(1, :rows) g;
CHECKPOINT;
SQL
  start_gateway queue
  login
  from=$(now)
  while
    ask POST "$path/1/generate-queue" -H 'Content-Type: application/json' -d '{}' >"$work/answer"
    requests=$((requests + 1))
    grep -q '"more":true' "$work/answer"
  do :; done
  seconds=$(since "$from")
  stop "$pid"
  [ "$(sql queue -At -c 'SELECT count(*) FROM queue_entries')" = "$rows" ] || die "not all were queued"
  printf 'queue      %s contacts queued in %s s, requests: %s\n' "$rows" "$seconds" "$requests"
  limit queue "$seconds" 60 s
}
