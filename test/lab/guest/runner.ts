// Runs in a guest: does what the host says on the serial line, and tells it what came of it.
import { execFileSync } from 'node:child_process'
import { openSync, readFileSync, writeSync } from 'node:fs'
import { createInterface } from 'node:readline'

import { addDisk } from './add-disk.ts'
import { GuestProcesses } from './guest-processes.ts'
import { configureLvm } from './lvm-configuration.ts'
import type { Answer, Request } from './messages.ts'

const line = openSync('/dev/ttyS0', 'w')
const processes = new GuestProcesses(answer)

configureLvm()
createInterface({ input: process.stdin }).on('line', (path) => void perform(requestIn(path)))
answer({ kind: 'ready', uptimeSeconds: Number.parseFloat(readFileSync('/proc/uptime', 'utf8')) })

function requestIn(path: string): Request {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the host's half of the lab wrote it
  return JSON.parse(readFileSync(path, 'utf8')) as Request
}

function answer(message: Answer): void {
  const bytes = Buffer.from(`${JSON.stringify(message)}\n`)
  for (let at = 0; at < bytes.byteLength;) at += writeSync(line, bytes, at)
}

async function perform(request: Request): Promise<void> {
  try {
    switch (request.kind) {
      case 'start':
        return processes.start(request)
      case 'signal':
        return processes.signal(request.id, request.signal)
      case 'addDisk':
        return answer({ kind: 'diskAdded', id: request.id, path: await addDisk(request.disk) })
      case 'powerOff':
        return powerOff()
    }
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    if ('id' in request) answer({ kind: 'failed', id: request.id, message })
    else process.stderr.write(`${message}\n`)
  }
}

/** As a system is shut down: processes first, then file systems; then the first process does the rest. */
function powerOff(): never {
  processes.killAll()
  try {
    execFileSync('umount', ['--all', '--types', 'ext4,xfs,btrfs'], { stdio: 'inherit' })
  } catch (error) {
    process.stderr.write(`${String(error)}\n`)
  }
  // oxlint-disable-next-line unicorn/no-process-exit -- whatever it still waits for must not hold up the shutdown
  process.exit(0)
}
