#!/bin/sh
# Serves the module that lies in this image: starts the server, publishes the module to it, and ends with the server.
# What it does and why, and all variables: docs/docker-image.md.
#
#   stdb-entrypoint [flags of `spacetimedb-standalone start`]
#   stdb-entrypoint health    ends with 0 when the server answers and the module was seen to
#
# Ends with the server's exit code; or with 1 when the database could not be made or the server does not start,
# 2 for a wrong setting, 3 when the module was refused and STRICT=1.
set -eu
umask 077

data=${SPACETIMEDB_DATA_DIR:-/data}
state=$data/stdb-image
database=${SPACETIMEDB_DATABASE:-}
record=$state/databases/$database
listen=${SPACETIMEDB_LISTEN_ADDR:-0.0.0.0:3000}
keys=${SPACETIMEDB_KEY_DIR:-}
strict=${STRICT:-0}
allow_downgrade=${ALLOW_DOWNGRADE:-0}
log_format=${LOG_FORMAT:-text}
log_filter=${RUST_LOG:-}
start_timeout=${SPACETIMEDB_START_TIMEOUT:-120}
publish_timeout=${SPACETIMEDB_PUBLISH_TIMEOUT:-300}
stop_timeout=${SPACETIMEDB_STOP_TIMEOUT:-7}
programs=${SPACETIMEDB_PROGRAM_DIR:-/opt/spacetime}
modules=${SPACETIMEDB_MODULE_DIR:-/opt/module}

# What the CLI says goes to memory: a database on a full volume is served.
scratch=
server=
cli=
has_answered=0

main() {
  if [ "${1:-}" = health ]; then health; fi
  check_settings "$@"
  find_module
  trap 'could_not_write' EXIT
  take_volume
  scratch=$(mktemp -d /dev/shm/stdb-image.XXXXXX 2>/dev/null) || scratch=$state
  trap 'stop_for TERM' TERM
  trap 'stop_for INT' INT
  set_log_filter
  start_server "$@"
  wait_for_server
  if has_token || may_make_owner; then
    has_token || make_owner
    settle_last_publish
    bring_module
  else
    refuse_without_owner
  fi
  printf '%s\n' "$outcome" >"$state/ready" || log warn "could not write to $data (is the volume full?)"
  log info "ready: serving $database"
  end_with_server
}

# --- settings ---------------------------------------------------------------------------------------------------------

check_settings() {
  case $log_format in
    text | json) ;;
    *)
      given=$log_format log_format=text
      wrong "LOG_FORMAT is \"$given\": it can be text or json."
      ;;
  esac
  yes_or_no STRICT "$strict"
  yes_or_no ALLOW_DOWNGRADE "$allow_downgrade"
  seconds SPACETIMEDB_START_TIMEOUT "$start_timeout"
  seconds SPACETIMEDB_PUBLISH_TIMEOUT "$publish_timeout"
  seconds SPACETIMEDB_STOP_TIMEOUT "$stop_timeout"
  case $database in
    '') wrong 'SPACETIMEDB_DATABASE is not set: give the name of the database that the module is published to.' ;;
    *[!a-z0-9-]* | -* | *- | *--*)
      wrong "SPACETIMEDB_DATABASE is \"$database\": a name has lower-case letters, digits and single dashes between them."
      ;;
  esac
  case $listen in
    *[!]0-9A-Za-z.:_[-]*) wrong_listen ;;
  esac
  printf '%s\n' "$listen" | grep -Eq '^([0-9A-Za-z._-]+|\[[0-9A-Fa-f:.]+\]):[0-9]+$' || wrong_listen
  case $log_filter in
    *[!A-Za-z0-9_:=,./\ -]*) wrong "RUST_LOG is \"$log_filter\": it is a level, or a list such as info,spacetimedb=debug." ;;
  esac
  case ${1:-} in
    '' | -*) ;;
    *) wrong "\"$1\" is no command of this image: it takes flags of \"spacetimedb-standalone start\", or \"health\"." ;;
  esac
  for tool in flock sha256sum sync timeout; do
    command -v "$tool" >/dev/null || wrong "the base of this image has no \"$tool\", which its entrypoint needs."
  done
}

yes_or_no() {
  case $2 in
    0 | 1) ;;
    *) wrong "$1 is \"$2\": it can be 0 or 1." ;;
  esac
}

seconds() {
  case $2 in
    '' | 0* | *[!0-9]*) wrong "$1 is \"$2\": it is a whole number of seconds, at least 1." ;;
  esac
}

wrong_listen() {
  wrong "SPACETIMEDB_LISTEN_ADDR is \"$listen\": it is an address and a port, such as 0.0.0.0:3000."
}

# Where the server is reached from inside the container.
server_url() {
  case ${listen%:*} in
    0.0.0.0) echo "http://127.0.0.1:${listen##*:}" ;;
    '[::]') echo "http://[::1]:${listen##*:}" ;;
    *) echo "http://$listen" ;;
  esac
}

find_module() {
  if [ -f "$modules/module.wasm" ] && [ -f "$modules/module.js" ]; then
    wrong "$modules holds both module.wasm and module.js: an image has one module."
  elif [ -f "$modules/module.wasm" ]; then
    module=$modules/module.wasm module_flag=--bin-path
  elif [ -f "$modules/module.js" ]; then
    module=$modules/module.js module_flag=--js-path
  else
    wrong "$modules holds neither module.wasm nor module.js: the image was built without a module."
  fi
  own=$(sha256sum <"$module") || wrong "$module can't be read by uid $(id -u)."
  own=${own%% *}
}

# --- the volume -------------------------------------------------------------------------------------------------------

# Makes the folder of this script, which only one container has at a time. The server inherits the lock: it is free when
# both have ended, however they ended.
take_volume() {
  if ! mkdir -p "$record" 2>/dev/null || ! (: >>"$state/lock") 2>/dev/null; then
    wrong "$data can't be written by uid $(id -u): give it to that user (chown $(id -u) on the host's folder; fsGroup in Kubernetes), or run the container as its owner."
  fi
  exec 9>>"$state/lock"
  flock -n 9 || wrong "another container uses $data: a volume serves one at a time. Stop that one first."
  rm -f "$state/ready"
  if [ -z "$keys" ]; then
    keys=$state/keys
    mkdir -p "$keys"
    return
  fi
  for key in id_ecdsa id_ecdsa.pub; do
    [ -r "$keys/$key" ] || wrong "SPACETIMEDB_KEY_DIR is $keys, where uid $(id -u) can read no $key: mount both id_ecdsa and id_ecdsa.pub, readable for that user."
  done
}

# The server reads no RUST_LOG, only its config.toml, which it makes when there is none. One that is not ours stays.
set_log_filter() {
  mark='# Made of RUST_LOG by stdb-entrypoint'
  config=$data/config.toml
  if [ -e "$config" ] && ! grep -qF "$mark" "$config"; then
    if [ -n "$log_filter" ]; then log warn "RUST_LOG has no effect: $config says what the server logs. Delete it to have it made of RUST_LOG"; fi
    return
  fi
  if [ -z "$log_filter" ]; then
    rm -f "$config"
  elif printf '%s\n[logs]\ndirectives = ["%s"]\n' "$mark" "$log_filter" >"$config.new"; then
    mv "$config.new" "$config"
  else
    rm -f "$config.new"
    log warn "RUST_LOG has no effect: could not write to $data (is the volume full?)"
  fi
}

# --- the server -------------------------------------------------------------------------------------------------------

start_server() {
  log info "starting the server on $listen, data in $data"
  "$programs/spacetimedb-standalone" start --listen-addr "$listen" --data-dir "$data" \
    --jwt-pub-key-path "$keys/id_ecdsa.pub" --jwt-priv-key-path "$keys/id_ecdsa" --non-interactive "$@" &
  server=$!
}

wait_for_server() {
  deadline=$(($(date +%s) + start_timeout))
  # A ping that hangs ends by itself, so that the deadline is looked at.
  until is_online; do
    end_if_server_ended
    if [ "$(date +%s)" -ge "$deadline" ]; then
      log error "the server did not answer on $(server_url) within $start_timeout s (SPACETIMEDB_START_TIMEOUT)."
      give_up 1
    fi
    sleep 0.2
  done
  has_answered=1
}

# The CLI ends with 0 for any answer, an error too: only its text tells. With an empty configuration it writes none.
is_online() {
  run_cli 5 /dev/null server ping "$(server_url)" && grep -q '^Server is online:' "$scratch/answer"
}

is_running() {
  kill -0 "$server" 2>/dev/null
}

end_if_server_ended() {
  if ! is_running; then end_with_server; fi
}

end_with_server() {
  status=0
  wait "$server" || status=$?
  leave
  if [ "$status" = 0 ]; then log info 'the server has ended'; else log error "the server ended with exit code $status"; fi
  exit "$status"
}

# shellcheck disable=SC2317 # called by a trap
stop_for() {
  trap '' TERM INT
  log info "got SIG$1: stopping the server"
  give_up
}

# Stops the server and ends with the given code; without one, with the server's.
give_up() {
  trap '' TERM INT
  leave
  if [ -n "$cli" ]; then kill "$cli" 2>/dev/null || :; fi
  [ -n "$server" ] || exit "${1:-0}"
  # The server ends in order for SIGINT only, and only once it listens.
  if [ "$has_answered" = 1 ]; then
    kill -INT "$server" 2>/dev/null || :
    ends_within "$stop_timeout" || log warn "the server did not end within $stop_timeout s: ending it"
  fi
  if is_running; then kill -TERM "$server" 2>/dev/null || :; fi
  ends_within 1 || kill -KILL "$server" 2>/dev/null || :
  status=0
  wait "$server" || status=$?
  log info "the server has ended with exit code $status"
  exit "${1:-$status}"
}

leave() {
  trap - EXIT
  rm -f "$state/ready" || :
  if [ "$scratch" != "$state" ]; then rm -rf "$scratch"; fi
}

# `set -e` has ended this script: the only thing it does that fails otherwise than by a program's answer is to write.
# shellcheck disable=SC2317 # called by a trap
could_not_write() {
  log error "could not write to $data (is the volume full?): stopping the server"
  give_up 1
}

ends_within() {
  ticks=$(($1 * 10))
  while is_running; do
    [ "$ticks" -gt 0 ] || return 1
    ticks=$((ticks - 1))
    sleep 0.1
  done
}

# --- the CLI ----------------------------------------------------------------------------------------------------------

# run_cli SECONDS CONFIGURATION ARGUMENTS…: what it says is in $scratch/answer. In the background, where the shell takes
# signals meanwhile.
run_cli() {
  limit=$1
  configuration=$2
  shift 2
  env -u RUST_BACKTRACE -u RUST_LIB_BACKTRACE NO_COLOR=1 HOME="${HOME:-/}" \
    timeout -k 5 "$limit" "$programs/spacetimedb-cli" --config-path "$configuration" "$@" \
    </dev/null >"$scratch/answer" 2>&1 9>&- &
  cli=$!
  cli_status=0
  wait "$cli" || cli_status=$?
  cli=
  return "$cli_status"
}

# The database's owner: an identity that the server makes once. Its token stays in cli.toml, readable for this user only.
has_token() {
  [ -f "$state/cli.toml" ] && grep -Eq "^spacetimedb_token *= *[\"'][^\"']+[\"']" "$state/cli.toml"
}

# Another owner than the one that made the databases can't publish to them, and would hide that the token is missing.
may_make_owner() {
  [ -z "$(known_databases)" ]
}

# The CLI does not fail when it can't save the token.
make_owner() {
  if ! run_cli 30 "$state/cli.toml" login --server-issued-login "$(server_url)" || ! has_token; then
    end_if_server_ended
    log error "could not get a token for the database's owner and keep it in $state/cli.toml:"
    log_file error "$scratch/answer"
    give_up 1
  fi
  log info "made the database's owner: $(sed -n 's/^Logged in with identity //p' "$scratch/answer")"
}

refuse_without_owner() {
  said="the owner's token is missing: restore stdb-image/cli.toml in the volume from a backup"
  if [ ! -e "$record/published" ]; then
    log error "$said. Without it no database $database can be made beside $(known_databases)"
    give_up 1
  fi
  refuse "$said"
}

# The names of the databases that were published to from this volume.
known_databases() {
  names=
  for known in "$state"/databases/*/published; do
    [ -e "$known" ] || continue
    known=${known%/published}
    names=${names:+$names, }${known##*/}
  done
  printf '%s' "$names"
}

# Sets `live` to the hash by which the server knows the module that it runs; `none` without a database; `unknown`.
look_at_live() {
  if run_cli 30 "$state/cli.toml" sql --server "$(server_url)" --no-config "$database" 'SELECT program_hash FROM st_module'; then
    live=$(grep -Eo '[0-9a-fA-Fx]{30,}' "$scratch/answer" | head -n 1) || :
    live=${live:-unknown}
  elif grep -Eq 'failed to find database|No such database' "$scratch/answer"; then
    live=none
  else
    end_if_server_ended
    live=unknown
  fi
}

# --- the module -------------------------------------------------------------------------------------------------------

# $record/published has a line for each publish that happened: SHA-256 of the module, the server's hash of it (`unknown`
# where that was not seen), time. $record/publishing is there while one is under way, and after one whose end was not
# seen: SHA-256, what was live before.

note_publishing() {
  printf '%s %s\n' "$1" "$2" >"$record/publishing.new"
  put_in_place "$record/publishing"
}

# A publish whose end was not seen: the server may have carried it out. What is live instead of what was before can be
# another module still. So it counts as published, for the order of modules, but its image publishes again.
settle_last_publish() {
  [ -f "$record/publishing" ] || return 0
  cut='' before=''
  read -r cut before <"$record/publishing" || :
  if ! is_hash "$cut" || [ -z "$before" ]; then
    log warn "$record/publishing is damaged, and removed"
    rm -f "$record/publishing"
    return
  fi
  look_at_live
  case $live in
    unknown) ;;
    none | "$before") rm -f "$record/publishing" ;;
    *)
      log info "a publish of $(short "$cut") that was cut off may have gone through"
      note_published "$cut" unknown
      ;;
  esac
}

is_hash() {
  [ "${#1}" = 64 ] || return 1
  case $1 in
    *[!0-9a-f]*) return 1 ;;
  esac
}

note_published() {
  {
    if [ -f "$record/published" ]; then cat "$record/published"; fi
    printf '%s %s %s\n' "$1" "$2" "$(date -u +%Y-%m-%dT%H:%M:%SZ)"
  } >"$record/published.new"
  put_in_place "$record/published"
  rm -f "$record/publishing"
}

# The whole of FILE.new, or FILE stays: after a cut, a full volume, a loss of power.
put_in_place() {
  sync "$1.new"
  mv "$1.new" "$1"
}

# When a module was first published here, as a line number; 0 when never.
first_published() {
  line=$(grep -n "^$1 " "$record/published" 2>/dev/null | head -n 1) || :
  echo "${line%%:*}" | grep . || echo 0
}

bring_module() {
  last=$(tail -n 1 "$record/published" 2>/dev/null) || :
  last_own=${last%% *}
  last_live=${last#* }
  last_live=${last_live%% *}
  if [ -z "$last" ]; then
    warn_of_others
    publish
  elif [ "$own" = "$last_own" ]; then
    stay
  elif is_older; then
    refuse_older
  else
    publish
  fi
}

warn_of_others() {
  others=$(known_databases)
  if [ -n "$others" ]; then
    log warn "SPACETIMEDB_DATABASE is $database, and nothing was published to it from this volume, but to: $others. Their data stays with them"
  fi
}

is_older() {
  place=$(first_published "$own")
  [ "$place" != 0 ] && [ "$place" -lt "$(first_published "$last_own")" ]
}

# The module of this image was the last one published from here.
stay() {
  case $last_live in
    unknown | none)
      publish
      return
      ;;
  esac
  look_at_live
  case $live in
    "$last_live")
      outcome=unchanged
      log info "unchanged: $database runs $(short "$own"), the module of this image"
      ;;
    none) publish ;;
    unknown) refuse "which module $database runs could not be found out:" "$scratch/answer" ;;
    *) refuse "$database runs another module than the one this image published: it was changed from outside, and is left as it is. Build an image with the module that is to run." ;;
  esac
}

refuse_older() {
  if [ "$allow_downgrade" = 1 ]; then
    log warn "going back from $(short "$last_own") to $(short "$own"): ALLOW_DOWNGRADE=1"
    publish
    return
  fi
  refuse "this image is older than the database: its module $(short "$own") was replaced by $(short "$last_own"), which stays live. To go back, set ALLOW_DOWNGRADE=1 once."
}

publish() {
  look_at_live
  before=$live
  if [ "$before" = unknown ]; then
    refuse "which module $database runs could not be found out:" "$scratch/answer"
    return
  fi
  note_publishing "$own" "$before"
  log info "publishing $(short "$own") to $database"
  publish_status=0
  run_cli "$publish_timeout" "$state/cli.toml" publish --server "$(server_url)" "$module_flag" "$module" --no-config --yes=remote,migrate \
    "$database" || publish_status=$?
  if [ "$publish_status" != 0 ]; then
    end_if_server_ended
    cp "$scratch/answer" "$scratch/refusal"
  fi
  look_at_live
  case $publish_status in
    0) was_published ;;
    # The time limit's: of TERM, and of KILL.
    124 | 137) was_cut ;;
    *) was_not_published ;;
  esac
}

was_published() {
  outcome=published
  log info "published $(short "$own") to $database"
  case $live in
    unknown | none) log warn "which module $database now runs could not be found out: the next start looks" ;;
    *) note_published "$own" "$live" ;;
  esac
}

# $record/publishing stays: what the server makes of it is looked at by the next start.
was_cut() {
  said="publishing did not end within $publish_timeout s (SPACETIMEDB_PUBLISH_TIMEOUT): it may still happen, and the next start looks whether it did"
  case $live in
    none) no_database "$said" ;;
    unknown | "$before") refuse "$said" "$scratch/refusal" ;;
    *) was_changed_anyway ;;
  esac
}

was_not_published() {
  case $live in
    none)
      rm -f "$record/publishing"
      no_database 'the module could not be published'
      ;;
    unknown) refuse "publishing failed (exit code $publish_status), and which module $database now runs could not be found out: the next start looks" "$scratch/refusal" ;;
    "$before")
      rm -f "$record/publishing"
      refuse "the module of this image was not published (exit code $publish_status); $database stays as it is:" "$scratch/refusal"
      ;;
    *) was_changed_anyway ;;
  esac
}

was_changed_anyway() {
  outcome=published
  log warn "$database has changed, although the CLI ended with $publish_status: the next start publishes again. It said:"
  log_file warn "$scratch/refusal"
}

no_database() {
  log error "$1, and there is no database $database to serve:"
  log_file error "$scratch/refusal"
  give_up 1
}

# refuse REASON [FILE]: serves what is there; with STRICT=1 it ends.
refuse() {
  outcome=refused
  log error "refused: $1"
  if [ -n "${2:-}" ]; then log_file error "$2"; fi
  if [ "$strict" = 1 ]; then
    log error 'STRICT=1: not serving another module than this image has'
    give_up 3
  fi
  log warn "serving $database as it is"
}

short() {
  printf 'sha256:%.12s' "$1"
}

# --- health -----------------------------------------------------------------------------------------------------------

health() {
  if [ ! -e "$state/ready" ]; then
    echo 'starting: the module was not published yet'
    exit 1
  fi
  said=$(env -u RUST_BACKTRACE HOME="${HOME:-/}" "$programs/spacetimedb-cli" --config-path /dev/null server ping "$(server_url)" 2>&1 </dev/null) || {
    echo "$said"
    exit 1
  }
  case $said in
    *'Server is online:'*) echo "online; module: $(cat "$state/ready")" ;;
    *)
      echo "$said"
      exit 1
      ;;
  esac
  exit 0
}

# --- log --------------------------------------------------------------------------------------------------------------

log() {
  now=$(date -u +%Y-%m-%dT%H:%M:%SZ)
  if [ "$log_format" = json ]; then
    text=$(printf '%s' "$2" | tr '\000-\037' '[ *]' | sed 's/[\\"]/\\&/g')
    printf '{"timestamp":"%s","level":"%s","target":"stdb-entrypoint","message":"%s"}\n' "$now" "$1" "$text" >&2
  else
    printf '%s %s stdb-entrypoint: %s\n' "$now" "$1" "$2" >&2
  fi
}

# What the CLI said, by lines, without what could be a token.
log_file() {
  sed -e 's/eyJ[A-Za-z0-9_=-]*\.[A-Za-z0-9_=-]*\.[A-Za-z0-9_=-]*/[a token]/g' -e '/^Saving config to /d' "$2" |
    while IFS= read -r said || [ -n "$said" ]; do
      if [ -n "$said" ]; then log "$1" "  $said"; fi
    done
}

wrong() {
  trap - EXIT
  log error "$1"
  exit 2
}

main "$@"
