#!/bin/sh
# PostgreSQL around a freeze: `[docs/hooks/postgresql.sh, CONNECTION…]`, for both stages or for the one before alone.
#
# An image of all its files at one moment is what PostgreSQL finds after a power cut: it recovers from that by itself.
# So nothing has to be brought to rest. A checkpoint beforehand only makes the recovery short. The arguments are those
# of psql (`--host=…`, `--username=…`); run it as a user who may do a checkpoint (a superuser, or pg_checkpoint).
set -eu

case "$ICECORE_STAGE" in
  before-freeze) exec psql --no-psqlrc --no-password --quiet --set=ON_ERROR_STOP=1 "$@" --command=CHECKPOINT ;;
  after-thaw) ;;
esac
