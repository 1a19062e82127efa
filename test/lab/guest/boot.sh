#!/bin/bash
# The first process of a guest. Its root is the host's "/", read-only over hostfs; what the guest works in is a
# throw-away overlay on it. What to show in it comes from a file of shell variables beside this one.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
mount -t proc proc /proc
for word in $(< /proc/cmdline); do
  case $word in lab_settings=*) . "${word#lab_settings=}" ;; esac
done

mount -t tmpfs -o size=75% tmpfs /mnt
mkdir /mnt/upper /mnt/work /mnt/root
insmod "$LAB_MODULES/kernel/fs/overlayfs/overlay.ko"
mount -t overlay -o lowerdir=/,upperdir=/mnt/upper,workdir=/mnt/work overlay /mnt/root
cd /mnt/root || exit 1

mkdir -p proc sys dev run tmp var/tmp root mnt
mount -t proc proc proc
mount -t sysfs sys sys
mount -t devtmpfs dev dev
mkdir -p dev/pts dev/shm
mount -t devpts devpts dev/pts
# The host's own state and its users' settings are not the guest's.
for folder in dev/shm run tmp var/tmp root mnt; do mount -t tmpfs tmpfs "$folder"; done
chmod 1777 tmp var/tmp dev/shm
mkdir -p run/lock run/lvm

show() { mkdir -p ".$1" && mount -t hostfs -o "$1${2:+,$2}" none ".$1"; }
show "$LAB_NODE" ; mount -o remount,ro ".$LAB_NODE"
show "$LAB_CHECKOUT" ; mount -o remount,ro ".$LAB_CHECKOUT"
show "$LAB_SHARE"
show "$LAB_REQUESTS"
modules=lib/modules/$(uname -r)
mkdir -p "$modules"
mount -t hostfs -o "$LAB_MODULES" none "$modules"
hostname "$LAB_NAME"
ip link set lo up
# A host that systemd has not set up lets ten packets wait for a guest, and the switch drops what comes beside them: whoever
# sends would wait 40 or 200 ms before it sends again. Six segments at most are on their way to a guest.
[ -z "$LAB_ADDRESS" ] || {
  ip addr add "$LAB_ADDRESS/24" dev eth0 && ip link set eth0 up
  ip route change "${LAB_ADDRESS%.*}.0/24" dev eth0 src "$LAB_ADDRESS" window 8760
}
echo "127.0.0.1 localhost $LAB_NAME" > etc/hosts

# The first process itself goes into the new root: the kernel starts its own helpers (modprobe) in that one's root.
exec chroot . /bin/bash "$LAB_CHECKOUT/test/lab/guest/run.sh" "$LAB_NODE/node" "$LAB_CHECKOUT" "$LAB_COMPILED"
