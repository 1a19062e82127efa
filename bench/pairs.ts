import type { Bench, RunRecord } from './bench.ts'
import { measure, type Command, type Measurement } from './measure.ts'
import { flushDirtyPages } from './page-cache.ts'
import { hasTool } from './peers/find-tool.ts'
import { median } from './statistics.ts'

/** What a run left, beyond its times. */
export type Findings = Pick<RunRecord, 'storedBytes' | 'addedBytes' | 'indexBytes' | 'chunkCount' | 'note'>

/** One measurable piece of work of one program. */
export type Work = {
  readonly program: string
  readonly tools: readonly string[]
  /** Brings everything into the state that the run begins with, and says what to run. Not measured. */
  begin(): Promise<Command>
  /** Looks at what the run left, and clears away what nobody needs. Not measured. */
  finish(measurement: Measurement): Promise<Findings> | Findings
}

export type Pair = { readonly own: RunRecord; readonly peer: RunRecord }

export type PairsWish = {
  readonly scenario: string
  readonly own: Work
  readonly peers: readonly Work[]
}

/**
 * Runs our work and a peer's in turn, pair by pair, so that a disturbance of the machine hits both alike. Returns the
 * pairs by the name of the peer; a peer whose tools are missing has none.
 */
export async function measurePairs(bench: Bench, wish: PairsWish): Promise<Map<string, Pair[]>> {
  const pairs = new Map<string, Pair[]>()
  const peers = wish.peers.filter((peer) => isRunnable(bench, peer))
  for (let repeat = 1; repeat <= bench.repeatCount; repeat += 1) {
    for (const peer of peers) {
      const own = await measureWork(bench, wish.scenario, wish.own)
      const pair = { own, peer: await measureWork(bench, wish.scenario, peer) }
      pairs.set(peer.program, [...(pairs.get(peer.program) ?? []), pair])
    }
  }
  return pairs
}

/** Runs one work alone, as often as asked. */
export async function measureAlone(bench: Bench, scenario: string, work: Work): Promise<RunRecord[]> {
  const records: RunRecord[] = []
  for (let repeat = 1; repeat <= bench.repeatCount; repeat += 1) {
    records.push(await measureWork(bench, scenario, work))
  }
  return records
}

/** The median over the pairs of the quotient that `quotient` makes of one pair; nothing without pairs. */
export function medianOfPairs(
  pairs: readonly Pair[] | undefined,
  quotient: (pair: Pair) => number,
): { readonly measured?: number } {
  return pairs === undefined || pairs.length === 0 ? {} : { measured: median(pairs.map(quotient)) }
}

/** How many times faster we are. */
export function speedUp(pair: Pair): number {
  return pair.peer.wallMs / pair.own.wallMs
}

/** Our CPU seconds as a share of the peer's. */
export function cpuShare(pair: Pair): number {
  return pair.own.cpuMs / pair.peer.cpuMs
}

/** Our repository as a share of the peer's. */
export function storedShare(pair: Pair): number {
  return (pair.own.storedBytes ?? Number.NaN) / (pair.peer.storedBytes ?? Number.NaN)
}

/** The bytes that our run added as a share of those that the peer's added. */
export function addedShare(pair: Pair): number {
  return (pair.own.addedBytes ?? Number.NaN) / (pair.peer.addedBytes ?? Number.NaN)
}

function isRunnable(bench: Bench, work: Work): boolean {
  const missing = work.tools.filter((tool) => !hasTool(tool))
  if (missing.length > 0) bench.say(`  ${work.program}: left out, ${missing.join(', ')} not installed`)
  return missing.length === 0
}

async function measureWork(bench: Bench, scenario: string, work: Work): Promise<RunRecord> {
  const command = await work.begin()
  flushDirtyPages()
  const measurement = await measure(command, bench.scratchFolder)
  const findings = await work.finish(measurement)
  const { wallMs, cpuMs, peakMemoryBytes, exitCode } = measurement
  const record = { scenario, program: work.program, wallMs, cpuMs, peakMemoryBytes, exitCode, ...findings }
  const seconds = `${(wallMs / 1000).toFixed(2)} s, CPU ${(cpuMs / 1000).toFixed(2)} s`
  bench.say(`  ${work.program}: ${seconds}${findings.note === undefined ? '' : ` (${findings.note})`}`)
  bench.record(record)
  return record
}
