#!/bin/sh
# Guests of libvirt around a freeze: `[docs/hooks/libvirt.sh, GUEST…]`, for both stages.
#
# The guest's agent (qemu-guest-agent, with its own hooks for databases) writes back and freezes the file systems inside,
# so that the disks hold them cleanly. A guest without an agent makes the hook fail: let it degrade the run then. What was
# frozen before that is thawed by the stage after the thaw, which is run on every way out.
set -eu

status=0
for guest in "$@"; do
  case "$ICECORE_STAGE" in
    before-freeze) virsh --quiet domfsfreeze "$guest" ;;
    # All of them, whatever one says.
    after-thaw) virsh --quiet domfsthaw "$guest" || status=1 ;;
  esac
done
exit "$status"
