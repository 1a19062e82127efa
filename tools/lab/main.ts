#!/usr/bin/env node
// `npm run lab`: a lab host with a shell on it.
import { spawnSync } from 'node:child_process'
import { parseArgs } from 'node:util'

import { openLab } from '../../test/lab/lab.ts'
import { startHost } from '../../test/lab/start-host.ts'

const HELP = `npm run lab -- [--disks COUNT] [--size MIB] [--memory MIB]

Starts a virtual machine with SCSI disks (default: 2 of 256 MiB) and gives a shell on it. Its "/" is this machine's,
read-only, under a layer in memory; $LAB_SHARE is a folder that both see. The end of the shell is the end of the
machine and of its disks.`

const { values } = parseArgs({
  options: {
    disks: { type: 'string', default: '2' },
    size: { type: 'string', default: '256' },
    memory: { type: 'string', default: '512' },
    help: { type: 'boolean', default: false },
  },
})
if (values.help) console.log(HELP)
else if (process.stdin.isTTY) await giveShell()
else {
  console.error('Cannot give a shell: standard input is no terminal')
  process.exitCode = 2
}

async function giveShell(): Promise<void> {
  await using lab = openLab()
  const disks = Array.from({ length: Number(values.disks) }, (_, index) => {
    const image = lab.diskImage(`disk-${index}`, Number(values.size))
    return { image, mode: 'own', serial: `disk-${index}` } as const
  })
  const settings = stty('-g').trim()
  await using host = await startHost(lab, {
    name: 'lab',
    memoryMiB: Number(values.memory),
    disks,
    terminal: true,
  })
  for (const { path, wwid } of host.disks) console.log(`${path}  ${wwid}`)
  console.log(`share: ${lab.share}\nlog: ${host.logPath}`)
  try {
    const [columns, rows] = process.stdout.getWindowSize()
    const shell = `stty sane rows ${rows} cols ${columns}; exec bash --norc`
    const environment = { LAB_SHARE: lab.share, PS1: 'lab:\\w# ', TERM: process.env['TERM'] ?? 'dumb' }
    const words = ['sh', '-c', `exec setsid --ctty --wait sh -c '${shell}' < /dev/tty1 > /dev/tty1 2>&1`]
    await host.start(words, { environment }).ended
    await host.powerOff()
  } finally {
    // The kernel made the terminal raw for itself.
    stty(settings)
  }
}

function stty(words: string): string {
  return spawnSync('stty', [words], { stdio: ['inherit', 'pipe', 'inherit'], encoding: 'utf8' }).stdout
}
