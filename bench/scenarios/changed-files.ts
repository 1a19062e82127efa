import { rmSync } from 'node:fs'
import * as v from 'valibot'
import type { Bench, Row, RunRecord, Scenario } from '../bench.ts'
import { changeOneFile, writeManyFiles } from '../data/many-files.ts'
import { measureAlone } from '../pairs.ts'
import { icecore, type Icecore } from '../peers/icecore.ts'
import { median } from '../statistics.ts'

const SCENARIO = 'changed-files'
const BackUpResult = v.object({ pointId: v.string() })

export const CHANGED_FILES: Scenario = {
  name: SCENARIO,
  summary: '`diff --files` of one changed file of 100,000, of an ext4 and of a set of files',
  run: measureChanges,
}

async function measureChanges(bench: Bench): Promise<Row[]> {
  const { cli } = bench
  const kinds = [
    { what: 'an ext4', own: icecore({ cli, name: 'icecore changed ext4', leavesFreeOut: true }) },
    { what: 'a set of files', own: icecore({ cli, name: 'icecore changed set of files', folder: '/' }) },
  ]
  const image = writeManyFiles(bench.scratchFolder)
  const befores: Point[] = []
  for (const { own } of kinds) befores.push(await backUp(bench, own, { image, run: 'first' }))
  const changed = changeOneFile(image, bench.scratchFolder)
  const rows: Row[] = []
  for (const [index, { what, own }] of kinds.entries()) {
    const after = await backUp(bench, own, { image, run: 'second', state: befores[index]?.state })
    const runs = await measureAlone(bench, SCENARIO, {
      program: `${own.name}, diff --files`,
      tools: own.tools,
      begin: () => Promise.resolve(own.diffFiles(after.state, befores[index]?.id ?? '', after.id)),
      finish: ({ stdout }) => {
        if (!stdout.includes(`\nM ${changed}`)) throw new Error(`Cannot compare: found ${stdout}`)
        return stdout.includes('All folders were read') ? { note: 'all folders were read' } : {}
      },
    })
    rows.push(...rowsOf(what, runs))
    bench.states.drop(own, 'all')
  }
  rmSync(image)
  return rows
}

type Point = { readonly id: string; readonly state: string }

async function backUp(
  bench: Bench,
  own: Icecore,
  how: { readonly image: string; readonly run: 'first' | 'second'; readonly state?: string | undefined },
): Promise<Point> {
  const state = how.state ?? (await bench.states.fresh(own))
  let id = ''
  await measureAlone({ ...bench, repeatCount: 1 }, SCENARIO, {
    program: `${own.name}, ${how.run} backup`,
    tools: own.tools,
    begin: () => Promise.resolve(own.backUp({ state, source: how.image, run: how.run })),
    finish: ({ stdout }) => {
      id = v.parse(BackUpResult, JSON.parse(stdout)).pointId
      return {}
    },
  })
  return { id, state }
}

function rowsOf(what: string, runs: readonly RunRecord[]): Row[] {
  const row = { work: `\`diff --files\` of one changed file of 100,000 of ${what}`, against: '–', asked: '–' }
  return [
    { ...row, quantity: 'wall time', unit: 's', measured: median(runs.map((run) => run.wallMs)) / 1000 },
    { ...row, quantity: 'CPU seconds', unit: 's', measured: median(runs.map((run) => run.cpuMs)) / 1000 },
    {
      ...row,
      quantity: 'largest resident size',
      unit: 'bytes',
      measured: Math.max(...runs.map((run) => run.peakMemoryBytes)),
    },
  ]
}
