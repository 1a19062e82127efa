# The first process of a guest, after it went into its own root: loads the modules, runs the runner, powers off.
node=$1 checkout=$2 compiled=$3
export HOME=/root LANG=C.UTF-8 TZ=UTC DM_DISABLE_UDEV=1 LVM_SUPPRESS_FD_WARNINGS=1
# What the host has compiled is there already; what the guest adds is its own, and forgotten.
export NODE_COMPILE_CACHE="$compiled" PATH="${node%/*}:$PATH"
cd /root || exit 1
modprobe -a dm-mod dm-thin-pool dm-snapshot dm-mirror loop
# Held open, so that the line keeps its settings and nothing on it is lost.
exec 3<> /dev/ttyS0
stty raw -echo <&3
"$node" "$checkout/test/lab/guest/runner.ts" < /dev/ttyS0 3<&-
echo "The runner ended with exit code $?"
sync
echo o > /proc/sysrq-trigger
sleep 60
