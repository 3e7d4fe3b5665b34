# lib.sh: what the scripts share: folders, packages, free ports, waiting.
# Sourced by bash; sets -euo pipefail.
set -euo pipefail

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
build=${OVX_BUILD:-$top/build}

say() { printf '%s\n' "$*" >&2; }
die() { say "$0: $*"; exit 1; }

# Runs a command as root, or says which one to run.
as_root() {
  if [ "$(id -u)" = 0 ]; then
    "$@"
  elif command -v sudo >/dev/null 2>&1; then
    sudo "$@"
  else
    die "this needs root: become root, or install sudo, or run: $*"
  fi
}

# Installs the Debian packages that are missing.
need_packages() {
  local missing=() name
  for name in "$@"; do
    dpkg-query -W -f='${Status}' "$name" 2>/dev/null | grep -q '^install ok installed$' ||
      missing+=("$name")
  done
  [ ${#missing[@]} -eq 0 ] && return 0
  say "installing: ${missing[*]}"
  as_root apt-get update -qq
  # A private PostgreSQL is started where it is needed; Debian's own stays away.
  if [ ! -e /etc/postgresql-common/createcluster.conf ]; then
    as_root mkdir -p /etc/postgresql-common
    echo 'create_main_cluster = false' |
      as_root tee /etc/postgresql-common/createcluster.conf >/dev/null
  fi
  # A thousand lines of dpkg are worth reading only when it fails.
  local log
  log=$(mktemp)
  if ! as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq \
    --no-install-recommends -o Dpkg::Use-Pty=0 "${missing[@]}" >"$log" 2>&1; then
    tail -n 20 "$log" >&2
    die "the packages could not be installed; all that apt-get said is in $log"
  fi
  rm -f "$log"
}

# Configures a build folder, once: configure_in FOLDER OPTIONS...
configure_in() {
  local folder=$1
  shift
  mkdir -p "$folder"
  if [ ! -f "$folder/config.status" ] || [ configure -nt "$folder/config.status" ]; then
    (cd "$folder" && "$top/configure" --quiet "$@") >&2
  fi
}

# Waits until a file exists; fails when the process ends first, or after the seconds given.
wait_for_file() { # FILE PID SECONDS
  local end=$((SECONDS + $3))
  until [ -s "$1" ]; do
    kill -0 "$2" 2>/dev/null || return 1
    [ $SECONDS -lt $end ] || return 1
    sleep 0.05
  done
}

# One value of a flat JSON file: json_get FILE KEY
json_get() {
  sed -n 's/.*"'"$2"'"[^:]*: *"\{0,1\}\([^",}]*\).*/\1/p' "$1" | head -n 1
}
