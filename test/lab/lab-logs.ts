import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'

import { checkoutFolder } from '../../tools/tidy/checkout.ts'

/** Not in version control. */
const FOLDER = join(checkoutFolder, '.scratch/lab-logs')
const RUNS_KEPT = 20

let logFolder: string | undefined

/** The folder for what this process's hosts print; removed at its end, unless a test in it failed. */
export function processLogFolder(): string {
  logFolder ??= makeLogFolder()
  return logFolder
}

function makeLogFolder(): string {
  mkdirSync(FOLDER, { recursive: true })
  removeOldest()
  const path = mkdtempSync(join(FOLDER, 'run-'))
  process.on('exit', (code) => {
    if (code === 0) rmSync(path, { recursive: true, force: true })
    else process.stderr.write(`What the lab's hosts printed is in ${path}\n`)
  })
  return path
}

function removeOldest(): void {
  const runs = readdirSync(FOLDER).map((name) => {
    const path = join(FOLDER, name)
    return { path, changedMs: statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0 }
  })
  for (const { path } of runs.toSorted((a, b) => b.changedMs - a.changedMs).slice(RUNS_KEPT))
    rmSync(path, { recursive: true, force: true })
}

/** The last lines of a log, for the message of an error. */
export function lastLines(path: string, count = 20): string {
  // A panic's addresses say nothing without the kernel's source.
  const lines = readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith(' [<'))
  return [...lines.slice(-count), `(the whole log: ${path})`].join('\n')
}
