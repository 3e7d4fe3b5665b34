# lib.sh: what the figures share: processes, PostgreSQL, the two sides, measuring. Sourced by
# script/bench, which made the folder `work`.

connections=${BENCH_CONNECTIONS:-32}
calls=${BENCH_CALLS:-5000}
legs=${BENCH_LEGS:-20000}
warm=200 # calls or legs that go first and are not counted
token=0123456789abcdef0123456789abcdef
# As Twilio reaches it, through a proxy; what is signed.
public=http://bench.example
account=AC00000000000000000000000000000001
pg_bin=${PG_BIN:-/usr/lib/postgresql/15/bin}
pids=()

# ---- processes ----

stop_all() {
  local pid
  for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
  for pid in "${pids[@]}"; do wait "$pid" 2>/dev/null || true; done
  [ ! -d "$work/pg" ] || as_postgres "$pg_bin/pg_ctl" -D "$work/pg" -m immediate stop >/dev/null 2>&1 || true
  rm -rf "$work"
}
trap stop_all EXIT

stop() { # PID
  kill "$1"
  wait "$1" 2>/dev/null || true
}

# A process and everything below it stand still, or go on.
still() { signal_tree STOP "$1"; }
go() { signal_tree CONT "$1"; }
signal_tree() { # SIGNAL PID
  local child
  kill "-$1" "$2"
  for child in $(pgrep -P "$2"); do signal_tree "$1" "$child"; done
}

# CPU ticks of a process and everything below it, with the children that have ended.
ticks() { # PID
  { cat /proc/[0-9]*/stat 2>/dev/null || true; } | awk -v root="$1" '
    { pid = $1; sub(/^.*\) /, ""); parent[pid] = $2; used[pid] = $12 + $13 + $14 + $15 }
    END {
      for (pid in parent) {
        for (at = pid; at in parent && at != root; at = parent[at]);
        if (at == root) sum += used[pid]
      }
      print sum + 0
    }'
}

# ---- PostgreSQL ----

# initdb and postgres refuse root.
as_postgres() {
  if [ "$(id -u)" = 0 ]; then (cd / && setpriv --reuid postgres --regid postgres --clear-groups "$@"); else "$@"; fi
}

start_postgres() {
  chmod 755 "$work"
  mkdir "$work/pg"
  [ "$(id -u)" != 0 ] || chown postgres "$work/pg"
  as_postgres "$pg_bin/initdb" -D "$work/pg" -U postgres -A trust -E UTF8 --locale=C >"$work/initdb.log"
  # Both sides meet the same durable database; what works by the clock stays out of the figures.
  cat >>"$work/pg/postgresql.conf" <<CONF
listen_addresses = ''
unix_socket_directories = '$work/pg'
shared_buffers = 256MB
autovacuum = off
checkpoint_timeout = 1h
max_wal_size = 4GB
CONF
  as_postgres "$pg_bin/pg_ctl" -D "$work/pg" -l "$work/pg/log" -w start >/dev/null
  pg_pid=$(head -n 1 "$work/pg/postmaster.pid")
}

sql() { # DATABASE [psql options]
  local database=$1
  shift
  "$pg_bin/psql" -h "$work/pg" -U postgres -d "$database" -X -q -v ON_ERROR_STOP=1 "$@"
}

database_url() { printf 'postgresql://postgres@/%s?host=%s' "$1" "$work/pg"; }

# A database with the gateway's schema, which its first start makes. Once.
make_database() { # DATABASE
  [ ! -e "$work/made-$1" ] || return 0
  sql postgres -c "CREATE DATABASE $1"
  start_sandbox
  start_gateway "$1"
  stop "$pid"
  touch "$work/made-$1"
}

# The same schema for the peer.
copy_schema() { # FROM TO
  [ ! -e "$work/made-$2" ] || return 0
  sql postgres -c "CREATE DATABASE $2"
  "$pg_bin/pg_dump" -h "$work/pg" -U postgres -s "$1" | sql "$2" >/dev/null
  touch "$work/made-$2"
}

# Calls that were just placed and agent legs that wait, the same in every database. Once.
seed() { # DATABASE CALLS LEGS
  [ ! -e "$work/seeded-$1" ] || return 0
  touch "$work/seeded-$1"
  sql "$1" -v calls="$2" -v legs="$3" <<'SQL'
INSERT INTO users (username, name, role, password_hash) VALUES ('bench', 'Bench', 'agent', 'x');
INSERT INTO campaigns (name, caller_id) VALUES ('bench', '+14155550100');
INSERT INTO agent_sessions (user_id, campaign_id, node_id)
	SELECT (SELECT id FROM users WHERE username = 'bench'),
		(SELECT id FROM campaigns WHERE name = 'bench'), gen_random_uuid();
INSERT INTO calls (id, campaign_id, attempt, mode, number, caller_id, conference, node_id, state,
		verdict_rule, verdict_version, ring_timeout_s, deadline_at)
	OVERRIDING SYSTEM VALUE
	SELECT i, (SELECT id FROM campaigns WHERE name = 'bench'), 1, 'auto',
		'+1415' || lpad(i::text, 7, '0'), '+14155550100', 'ovx-bench', gen_random_uuid(),
		'placing', 'bench', 1, 30, now() + interval '1 day'
	FROM generate_series(1, :calls) i;
INSERT INTO call_legs (kind, call_id, label, conference, provider_sid)
	SELECT 'customer', id, 'ovx-bench-' || id, 'ovx-bench', 'CA' || lpad(to_hex(id), 32, '0')
	FROM calls;
INSERT INTO call_legs (kind, agent_session_id, turn, token, label, conference)
	SELECT 'agent', (SELECT id FROM agent_sessions LIMIT 1), i, 'bench-' || i,
		'bench-leg-' || i, 'ovx-bench'
	FROM generate_series(1, :legs) i;
VACUUM ANALYZE;
CHECKPOINT;
SQL
}

# What both must have written alike.
rows() { # DATABASE
  sql "$1" -At <<'SQL'
SELECT count(*), md5(string_agg(concat_ws(',', call_id, source, source_sid, sequence, event, at),
	';' ORDER BY call_id, sequence)) FROM call_events;
SELECT count(*), md5(string_agg(concat_ws(',', id, state, outcome, ringing_at, answered_at,
	ended_at), ';' ORDER BY id)) FROM calls;
SQL
}

# ---- the two sides; each sets `pid` and `port` ----

start_sandbox() {
  [ ! -d "$work/sandbox" ] || return 0
  mkdir "$work/sandbox"
  echo '[{"match":"*","weight":1,"behaviour":"no_answer","ring_ms":1000}]' >"$work/population.json"
  "$build/sandbox/omnivox-sandbox" --listen 127.0.0.1:0 --sip-listen 127.0.0.1:0 \
    --data "$work/sandbox" --population "$work/population.json" --seed 1 \
    --account-sid "$account" --auth-token "$token" --sip-user gateway --sip-password Bench-Pass-1 \
    --numbers +14155550100 >"$work/sandbox.log" 2>&1 &
  pids+=($!)
  wait_for_file "$work/sandbox/run/sandbox-addresses.json" $! 10 ||
    { cat "$work/sandbox.log" >&2; die "the sandbox did not start"; }
}

start_gateway() { # DATABASE
  local sandbox=$work/sandbox/run/sandbox-addresses.json
  mkdir -p "$work/gateway" "$work/web"
  rm -f "$work/gateway/run/addresses.json"
  DATA_DIR=$work/gateway BACKEND_URL=$public DATABASE_URL=$(database_url "$1") HTTP_LISTEN=127.0.0.1:0 \
    SIP_LISTEN=127.0.0.1:0 RTP_PORTS=auto ADMIN_PASSWORD=bench-password API_RATE=0 LOG_LEVEL=warn \
    TWILIO_ACCOUNT_SID=$account TWILIO_AUTH_TOKEN=$token TWILIO_PHONE_NUMBER=+14155550100 \
    TWILIO_API_BASE=http://$(json_get "$sandbox" http) TWILIO_SIP_DOMAIN=$(json_get "$sandbox" sip) \
    TWILIO_SIP_USER=gateway TWILIO_SIP_PASSWORD=Bench-Pass-1 WEB_DIR=$work/web \
    "$build/gateway/omnivox-gateway" >"$work/gateway.log" 2>&1 &
  pid=$!
  pids+=("$pid")
  wait_for_file "$work/gateway/run/addresses.json" "$pid" 30 ||
    { cat "$work/gateway.log" >&2; die "the gateway did not start"; }
  port=$(json_get "$work/gateway/run/addresses.json" http)
  port=${port##*:}
}

# Installs the exact versions of the lock file, once for each lock file.
prepare_express() {
  local mark
  command -v node >/dev/null && command -v npm >/dev/null ||
    die "the peer needs Node.js 20 or later with npm: put node and npm on PATH"
  mkdir -p "$build/bench/express"
  cp "$top"/bench/express/{.npmrc,package.json,package-lock.json,server.js} "$build/bench/express/"
  mark=$(sha256sum <"$top/bench/express/package-lock.json")
  [ "$(cat "$build/bench/express/.installed" 2>/dev/null)" != "$mark" ] || return 0
  (cd "$build/bench/express" && npm ci --no-audit --no-fund --silent >&2)
  echo "$mark" >"$build/bench/express/.installed"
}

start_express() { # DATABASE, "" for none
  : >"$work/express.log"
  NODE_ENV=production TWILIO_AUTH_TOKEN=$token DATABASE_URL=${1:+$(database_url "$1")} \
    node "$build/bench/express/server.js" >"$work/express.log" 2>&1 &
  pid=$!
  pids+=("$pid")
  wait_for_file "$work/express.log" "$pid" 20 ||
    { cat "$work/express.log" >&2; die "the Express peer did not start"; }
  port=$(sed -n 's/^port //p' "$work/express.log")
}

ask() { # METHOD PATH [curl options]
  local method=$1 path=$2
  shift 2
  curl -sS -f -b "$work/cookies" -c "$work/cookies" -X "$method" "$@" "http://127.0.0.1:$port$path"
}

login() {
  ask POST /api/auth/login -H 'Content-Type: application/json' \
    -d '{"username":"admin","password":"bench-password"}' >/dev/null
}

# ---- measuring ----

now() { date +%s.%N; }
since() { awk -v from="$1" -v to="$(now)" 'BEGIN { printf "%.2f", to - from }'; }

# What is written and signed for both sides alike.
prepare_sides() {
  prepare_express
  make_database gateway
  copy_schema gateway express
  seed gateway $((warm + 2 * calls)) $((warm + legs))
  seed express $((warm + 2 * calls)) $((warm + legs))
}

warm_up() { # LABEL webhook|twiml
  "$build/bench/load" "$2" "$port" $public $token 8 1 $warm >"$work/load.log" ||
    { cat "$work"/load.log "$work"/*.log >&2; die "$1 refused the load"; }
}

# Loads both sides in ten turns, the other standing still, so that a machine that is faster for a while
# favours nobody. Sets what each has taken in all: cpu[] and pg[] in ticks, seconds[], by label.
take_turns() { # webhook|twiml COUNT EXPRESS-DATABASE
  local gateway express our_port their_port turn
  declare -gA cpu=([gateway]=0 [express]=0) pg=([gateway]=0 [express]=0) seconds=([gateway]=0 [express]=0)
  prepare_sides
  start_gateway gateway
  gateway=$pid our_port=$port
  start_express "$3"
  express=$pid their_port=$port
  port=$our_port warm_up gateway "$1"
  port=$their_port warm_up express "$1"
  for turn in {0..9}; do
    still "$express"
    pid=$gateway port=$our_port take_turn gateway "$1" $(($2 / 10)) "$turn"
    still "$gateway"
    go "$express"
    pid=$express port=$their_port take_turn express "$1" $(($2 / 10)) "$turn"
    go "$gateway"
  done
  stop "$express"
  stop "$gateway"
}

take_turn() { # LABEL webhook|twiml COUNT TURN
  local out before pg_before cpu_now pg_now
  before=$(ticks "$pid") pg_before=$(ticks "$pg_pid")
  out=$("$build/bench/load" "$2" "$port" $public $token "$connections" $((warm + 1 + $4 * $3)) "$3") ||
    { cat "$work"/*.log >&2; die "$1: $out"; }
  cpu_now=$(($(ticks "$pid") - before)) pg_now=$(($(ticks "$pg_pid") - pg_before))
  cpu[$1]=$((cpu[$1] + cpu_now)) pg[$1]=$((pg[$1] + pg_now))
  seconds[$1]=$(awk -v a="${seconds[$1]}" -v b="$(field "$out" seconds)" 'BEGIN { print a + b }')
  [ "$4" -lt 9 ] || tell "$1" "$2" "$out" "$cpu_now" "$pg_now"
}

# Prints a line for people; sets rate, cpu_us and pg_us.
tell() { # LABEL WHAT OUTPUT-OF-LOAD TICKS TICKS-OF-POSTGRESQL
  local requests
  requests=$(field "$3" requests)
  rate=$(field "$3" rate)
  cpu_us=$(per_request "$4" "$requests")
  pg_us=$(per_request "$5" "$requests")
  printf '%-10s %-8s %7s/s  p50 %6s us  p99 %6s us  CPU %6s us + PostgreSQL %6s us a request\n' \
    "$1" "$2" "$rate" "$(field "$3" p50_us)" "$(field "$3" p99_us)" "$cpu_us" "$pg_us"
}

field() { sed -n "s/.*\\b$2=\\([0-9.]*\\).*/\\1/p" <<<"$1"; }
per_request() { awk -v t="$1" -v n="$2" -v hz="$(getconf CLK_TCK)" 'BEGIN { printf "%.1f", t / hz * 1e6 / n }'; }

# One line a figure. `most`: a ratio up to the bar passes; `least`: from the bar on.
verdict() { # NAME FIGURE PEER BAR most|least UNIT
  awk -v name="$1" -v f="$2" -v p="$3" -v bar="$4" -v rule="$5" -v unit="$6" 'BEGIN {
    ratio = p > 0 ? f / p : 0
    good = f > 0 && p > 0 && (rule == "most" ? ratio <= bar : ratio >= bar)
    printf "%s figure=%s%s peer=%s%s ratio=%.3f bar=%s %s\n", name, f, unit, p, unit, ratio, bar,
      good ? "PASS" : "SHORT" }'
}

# A figure without a peer: up to the bar passes.
limit() { # NAME FIGURE BAR UNIT
  awk -v name="$1" -v f="$2" -v bar="$3" -v unit="$4" 'BEGIN {
    good = f + 0 > 0 && f + 0 <= bar + 0
    printf "%s figure=%s%s bar=%s%s %s\n", name, f, unit, bar, unit, good ? "PASS" : "SHORT" }'
}
