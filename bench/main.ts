#!/usr/bin/env node
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Bench, Row, RunRecord } from './bench.ts'
import { openDataSet, type DataSet } from './data/data-set.ts'
import { undoChange } from './data/scattered-change.ts'
import { canResticRestoreSparsely, describeMachine } from './machine.ts'
import { HELP, parseOptions, type Options } from './options.ts'
import { addSystemFoldersToPath, requireTools } from './peers/find-tool.ts'
import { renderHeader, renderReport } from './report.ts'
import { SCENARIOS } from './scenarios/scenarios.ts'
import { openStates } from './states.ts'

/** What the data is made with and the runs are measured with, by the Debian package that has it. */
const TOOL_PACKAGES = {
  mke2fs: 'e2fsprogs',
  debugfs: 'e2fsprogs',
  e2fsck: 'e2fsprogs',
  tar: 'tar',
  xz: 'xz-utils',
  zstd: 'zstd',
  cmp: 'diffutils',
  time: 'time',
}

function say(line: string): void {
  process.stderr.write(`${line}\n`)
}

function print(text: string): void {
  process.stdout.write(`${text}\n`)
}

async function main(): Promise<void> {
  const options = parseOptions(process.argv.slice(2), SCENARIOS)
  if (options.action === 'help') return print(HELP.trimEnd())
  if (options.action === 'list') {
    return print(SCENARIOS.map((scenario) => `${scenario.name.padEnd(18)} ${scenario.summary}`).join('\n'))
  }
  addSystemFoldersToPath()
  requireTools(TOOL_PACKAGES)
  mkdirSync(options.workFolder, { recursive: true })
  const data = openDataSet(options, say)
  const machine = describeMachine()
  print(renderHeader({ machine, data: data.manifest, repeatCount: options.repeatCount }))
  if (options.action === 'make data') return
  await measureAll(options, data, machine)
}

async function measureAll(
  options: Options,
  data: DataSet,
  machine: ReturnType<typeof describeMachine>,
): Promise<void> {
  const runFolder = join(options.workFolder, 'run')
  const runs: RunRecord[] = []
  const rows: Row[] = []
  const bench = openBench(options, {
    data,
    runFolder,
    runs,
    canRestoreSparsely: canResticRestoreSparsely(machine),
  })
  try {
    for (const scenario of options.scenarios) {
      say(`${scenario.name}: ${scenario.summary}`)
      rows.push(...(await scenario.run(bench)))
    }
  } finally {
    undoChange(data.change)
    if (!options.isKept) rmSync(runFolder, { recursive: true, force: true })
    // Also what was measured before a failure.
    const report = { machine, data: data.manifest, repeatCount: options.repeatCount, rows, runs }
    if (runs.length > 0) print(`\n${renderReport(report)}`)
    if (options.jsonFile !== undefined)
      writeFileSync(options.jsonFile, `${JSON.stringify(report, undefined, 2)}\n`)
  }
}

type BenchParts = {
  readonly data: DataSet
  readonly runFolder: string
  readonly runs: RunRecord[]
  readonly canRestoreSparsely: boolean
}

function openBench(options: Options, parts: BenchParts): Bench {
  const { data, runFolder, runs } = parts
  const scratchFolder = join(runFolder, 'scratch')
  rmSync(runFolder, { recursive: true, force: true })
  mkdirSync(scratchFolder, { recursive: true })
  const states = openStates({
    folder: runFolder,
    scratchFolder,
    image: data.image,
    isImageChanged: () => existsSync(data.change.marker),
    say,
  })
  return {
    data,
    states,
    restoreFolder: join(runFolder, 'restored'),
    scratchFolder,
    repeatCount: options.repeatCount,
    cli: options.cli,
    resticRestoresSparsely: parts.canRestoreSparsely,
    say,
    record: (run) => runs.push(run),
  }
}

try {
  await main()
} catch (error) {
  say(`bench: ${error instanceof Error ? error.message : String(error)}`)
  process.exitCode = 1
}
