import { runTool } from './run-tool.ts'

/**
 * Fills a mounted folder with one of everything that a Linux file system can hold. Needs root, and the tools `setfattr`
 * and `setfacl`. `big` makes folders and files of several blocks of everything.
 */
export function makeVariedFiles(folder: string): void {
  runTool('bash', ['-c', `set -e; cd "$0"; ${SCRIPT}`, folder])
}

const SCRIPT = String.raw`
mkdir -p etc/deep/er var/empty 'with space' "$(printf 'line\nfeed')" "$(printf 'caf\351')" 'back\slash'
printf 'hello\n' > etc/hello; printf '' > etc/empty; printf 'x' > "$(printf 'caf\351')/x"
printf 'name' > "$(printf 'line\nfeed')/$(printf 'tab\there')"
seq 1 200000 > var/numbers
head -c 3000000 /dev/zero | tr '\0' 'z' > var/zeds
truncate -s 100M var/sparse; printf start | dd of=var/sparse conv=notrunc status=none
printf middle | dd of=var/sparse bs=1 seek=50000001 conv=notrunc status=none
truncate -s 300000 var/hole
ln etc/hello etc/deep/er/hello-again; ln var/numbers var/more-numbers; ln var/numbers etc/numbers
ln -s hello etc/short-link; ln -s "$(printf 'l%.0s' $(seq 1 900))" etc/long-link; ln -s /etc/passwd var/absolute
mkfifo var/fifo; mknod var/null c 1 3; mknod var/disk b 300 70000
python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("var/socket")'
chown 1234:5678 etc/hello; chown -h 42:43 etc/short-link; chown 7:8 var/null; chown 9:10 var/empty
chmod 4755 var/zeds; chmod 2711 var/empty; chmod 1777 var; chmod 0 etc/empty
setfattr -n user.note -v 'a note' etc/hello; setfattr -n user.empty etc/hello
setfattr -n user.large -v "$(head -c 1500 /dev/zero | tr '\0' v)" var/numbers
setfattr -n trusted.secret -v t var/numbers; setfattr -h -n trusted.link -v l etc/short-link
setfattr -n user.folder -v f etc/deep
setfacl -m u:1234:rwx,g:99:r etc/hello; setfacl -d -m u:77:rx etc/deep; setfacl -m g:55:rwx var/numbers
mkdir many; for i in $(seq 1 1200); do printf "$i" > "many/a file with a name of some length $i"; done
touch -d '1969-12-31 23:59:58.123456789 UTC' etc/empty; touch -h -d '2100-02-03 04:05:06.987654321 UTC' etc/short-link
touch -d '2037-01-02 03:04:05.000000001 UTC' var/zeds
touch -d '2001-01-01 00:00:00.5 UTC' etc/deep/er etc/deep var/null; touch -d '2002-02-02 UTC' etc var
`
