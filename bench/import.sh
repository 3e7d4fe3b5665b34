# import.sh: an upload of a million rows, read, checked and normalised, beside a plain COPY of the
# finished rows into the same table with the same indexes. Also the worker's memory at its peak.
# BENCH_ROWS (1000000) is the length of the list.

bench_import() {
  local list id peer ours
  rows=${BENCH_ROWS:-1000000}
  make_database import
  copy_schema import copied
  write_lists
  import_peer
  peer=$seconds
  import_ours
  ours=$seconds
  [ "$(imported copied)" = "$(imported import)" ] || die "the contacts differ"
  printf 'import     %s rows: COPY %s s, upload to end %s s (%s)\n' "$rows" "$peer" "$ours" "$phases"
  verdict import "$ours" "$peer" 3 most s
  limit import-memory "$peak_mb" 200 MB
}

# The same people twice: as somebody would have them in a spreadsheet, and as rows of the table.
write_lists() {
  awk -v rows="$rows" -v csv="$work/people.csv" -v tsv="$work/people.tsv" 'BEGIN {
    split("212 213 312 415 503 617 702 804 919 972", area, " ")
    split("(%s) %s-%s|%s-%s-%s|+1 %s %s %s|1%s%s%s", format, "|")
    print "Phone Number,First Name,Last Name,Email" > csv
    for (i = 0; i < rows; i++) {
      number = (int(i / 10) * 636417) % 8000000 + 2000000
      a = area[i % 10 + 1]; b = substr(number, 1, 3); c = substr(number, 4)
      name = "Name" (i * 31) % 5003; last = "Family" (i * 17) % 70001
      printf format[i % 4 + 1] ",%s,%s,%s.%d@example.com\n", a, b, c, name, last, name, i > csv
      printf "1\t+1%s%s%s\t%s\t%s\t%s.%d@example.com\tUS\n", a, b, c, name, last, name, i > tsv
    }
  }'
}

import_peer() {
  local from
  sql copied -c "INSERT INTO data_lists (name) VALUES ('bench')" -c CHECKPOINT
  from=$(now)
  sql copied -c "\\copy contacts (list_id, phone, first_name, last_name, email, country) FROM '$work/people.tsv'"
  seconds=$(since "$from")
}

import_ours() {
  local from base=/api/admin/campaign-management/data-lists worker
  start_gateway import
  worker=$(json_get "$work/gateway/run/addresses.json" worker)
  login
  ask POST $base -H 'Content-Type: application/json' -d '{"name":"bench"}' >/dev/null
  sql import -c CHECKPOINT
  from=$(now)
  ask POST $base/1/upload?wait=0 -H 'Content-Type: text/csv' -H 'Expect:' \
    -T "$work/people.csv" >"$work/answer"
  phases="sent after $(since "$from") s"
  while :; do
    ask GET /api/imports/1 >"$work/answer"
    case $(grep -o '"state":"[a-z]*"' "$work/answer") in
      *adding*) [[ $phases == *read* ]] || phases+=", read and checked after $(since "$from") s" ;;
      *done*) break ;;
      *failed*) die "the import failed: $(cat "$work/answer" "$work/gateway.log")" ;;
    esac
    sleep 0.1
  done
  seconds=$(since "$from")
  peak_mb=$(awk '/^VmHWM/ { printf "%.0f", $2 / 1024 }' "/proc/$worker/status")
  stop "$pid"
}

imported() { # DATABASE
  sql "$1" -At -c "SELECT count(*), md5(string_agg(concat_ws(',', phone, first_name, last_name, email,
    country), ';' ORDER BY phone COLLATE \"C\")) FROM contacts"
}
