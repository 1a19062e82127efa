import { runTool } from './run-tool.ts'
import type { ThinRun } from './thin-metadata.ts'

export type ThinDump = {
  readonly attributes: Readonly<Record<string, number>>
  readonly devices: ReadonlyMap<
    number,
    { readonly attributes: Readonly<Record<string, number>>; readonly runs: readonly ThinRun[] }
  >
}

/** What `thin_dump` says, neighbours joined whatever their time. */
export function thinDump(path: string, options: readonly string[] = []): ThinDump {
  return parseThinDump(runTool('thin_dump', [...options, path]))
}

/** The XML that `thin_dump` prints: an element a line. */
export function parseThinDump(xml: string): ThinDump {
  const lines = xml.split('\n')
  const definitions = new Map<string, ThinRun[]>()
  const devices = new Map<number, { attributes: Record<string, number>; runs: ThinRun[] }>()
  let superblock: Record<string, number> = {}
  let runs: ThinRun[] = []
  for (const line of lines) {
    const values = attributesOf(line)
    const number = (name: string): number => values[name] ?? 0
    if (line.includes('<superblock')) superblock = values
    else if (line.includes('<def ')) {
      runs = []
      definitions.set(nameOf(line), runs)
    } else if (line.includes('<device ')) {
      runs = []
      devices.set(number('dev_id'), { attributes: values, runs })
    } else if (line.includes('<ref ')) {
      for (const run of definitions.get(nameOf(line)) ?? []) addRun(runs, run)
    } else if (line.includes('<single_mapping')) {
      addRun(runs, { begin: number('origin_block'), data: number('data_block'), length: 1 })
    } else if (line.includes('<range_mapping')) {
      addRun(runs, { begin: number('origin_begin'), data: number('data_begin'), length: number('length') })
    }
  }
  return { attributes: superblock, devices }
}

export type BlockRun = { readonly begin: number; readonly length: number }

/** Where `thin_delta` says that two devices are not the same, neighbours joined. */
export function thinDelta(
  path: string,
  devices: readonly [number, number],
  options: readonly string[] = [],
): BlockRun[] {
  const [first, second] = devices.map(String)
  const words = ['--snap1', first ?? '', '--snap2', second ?? '', ...options, path]
  const runs: { begin: number; length: number }[] = []
  for (const line of runTool('thin_delta', words).split('\n')) {
    if (!/<(different|left_only|right_only) /.test(line)) continue
    const { begin = 0, length = 0 } = attributesOf(line)
    const last = runs.at(-1)
    if (last !== undefined && last.begin + last.length === begin) last.length += length
    else runs.push({ begin, length })
  }
  return runs
}

function addRun(runs: ThinRun[], run: ThinRun): void {
  const last = runs.at(-1)
  if (last !== undefined && last.begin + last.length === run.begin && last.data + last.length === run.data) {
    runs[runs.length - 1] = { ...last, length: last.length + run.length }
  } else runs.push(run)
}

function nameOf(line: string): string {
  return /name="([^"]*)"/.exec(line)?.[1] ?? ''
}

function attributesOf(line: string): Record<string, number> {
  return Object.fromEntries(
    [...line.matchAll(/(\w+)="(\d+)"/g)].map(([, name, value]) => [name, Number(value)]),
  )
}
