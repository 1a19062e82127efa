#!/bin/sh
# MariaDB around a freeze: `[docs/hooks/mariadb.sh, OPTION…]`, for both stages. The options are those of `mariadb`
# (`--defaults-file=…`, `--socket=…`, `--user=…`).
#
# InnoDB alone recovers from an image of one moment, as after a power cut. Tables of Aria and MyISAM and changes of
# table definitions do not all: BACKUP STAGE holds back commits and changes for as long as its session lives. That
# session stays behind as a client that waits on a named pipe. It ends, and with it the lock, when the stage after the
# thaw closes the pipe, when this hook's process group is ended, and after HOLD_SECONDS at the latest.
set -eu

hold_seconds="${HOLD_SECONDS:-120}"
folder="${RUNTIME_DIRECTORY:-/run}/icecore-mariadb-$ICECORE_RUN_ID"

statements() {
  echo 'SET SESSION lock_wait_timeout = 30;'
  echo 'BACKUP STAGE START; BACKUP STAGE FLUSH; BACKUP STAGE BLOCK_DDL; BACKUP STAGE BLOCK_COMMIT;'
  echo "SELECT 'at rest';"
  # Waits here: for somebody to open the pipe and close it again.
  timeout "$hold_seconds" cat "$folder/release" || echo "SELECT 'held too long';"
  echo 'BACKUP STAGE END;'
  echo "SELECT 'went on';"
}

come_to_rest() {
  mkdir -m 700 "$folder"
  mkfifo "$folder/release"
  : > "$folder/output"
  # Nothing that stays behind holds the output of this program, whoever waits for its end.
  (exec 2> /dev/null && statements) | mariadb "$@" --batch --skip-column-names --unbuffered > "$folder/output" 2> "$folder/errors" &
  echo "$!" > "$folder/session"
  until grep -q 'at rest' "$folder/output"; do
    kill -0 "$(cat "$folder/session")" 2> /dev/null || fail 'the session has ended'
    sleep 0.05
  done
}

go_on() {
  [ -d "$folder" ] || return 0
  # Nobody reads when the session has ended already.
  timeout 5 sh -c ': > "$1"' sh "$folder/release" || :
  until grep -q 'went on' "$folder/output"; do
    kill -0 "$(cat "$folder/session")" 2> /dev/null || break
    sleep 0.05
  done
  if ! grep -q 'went on' "$folder/output"; then fail 'the session has ended before its time'; fi
  if grep -q 'held too long' "$folder/output"; then fail "it was not at rest for longer than $hold_seconds s"; fi
  rm -rf "$folder"
}

fail() {
  echo "$1" >&2
  cat "$folder/errors" >&2
  rm -rf "$folder"
  exit 1
}

case "$ICECORE_STAGE" in
  before-freeze) come_to_rest "$@" ;;
  after-thaw) go_on ;;
esac
