import { spawn } from 'node:child_process'

/**
 * Kills what is on its list, then removes a folder, when its standard input ends: also when this process was killed.
 * A line `+N` puts a process group on the list, `-N` takes it off.
 */
const SCRIPT = `
groups=' '
while read -r word; do
  case $word in
    +*) groups="$groups\${word#+} " ;;
    -*) groups="\${groups/ \${word#-} / }" ;;
  esac
done
for group in $groups; do kill -KILL -- "-$group"; done
sleep 0.1
rm -rf -- "$0"
`

export type Watchdog = {
  watch(processGroup: number): void
  forget(processGroup: number): void
  /** Lets it do its work now; resolves when that is done. */
  release(): Promise<void>
}

export function startWatchdog(folder: string): Watchdog {
  const child = spawn('bash', ['-c', SCRIPT, folder], { detached: true, stdio: ['pipe', 'ignore', 'ignore'] })
  const ended = new Promise<void>((resolve) => child.on('close', () => resolve()))
  // It must not keep this process alive: it outlives it on purpose.
  child.unref()
  child.stdin.on('error', () => undefined)
  return {
    watch: (processGroup) => void child.stdin.write(`+${processGroup}\n`),
    forget: (processGroup) => void child.stdin.write(`-${processGroup}\n`),
    release: async () => {
      child.ref()
      child.stdin.end()
      await ended
    },
  }
}
