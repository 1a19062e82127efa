import type { Row, RunRecord } from '../bench.ts'

const MEMORY_BYTES_MAX = 256e6
const INDEX_BYTES_PER_CHUNK_MAX = 24

/** The highest peak of the runs, beside the fixed share and the index that it may be. */
export function memoryRow(work: string, ownRuns: readonly RunRecord[]): Row {
  const chunkCount = Math.max(0, ...ownRuns.map((run) => run.chunkCount ?? 0))
  const indexBytes = chunkCount * INDEX_BYTES_PER_CHUNK_MAX
  const row: Row = {
    work,
    against: '–',
    quantity: 'largest resident size',
    asked: `at most ${Math.round((MEMORY_BYTES_MAX + indexBytes) / 1e6)} MB (256 MB + ${chunkCount} chunks of 24 B)`,
    unit: 'bytes',
  }
  return ownRuns.length === 0
    ? row
    : { ...row, measured: Math.max(...ownRuns.map((run) => run.peakMemoryBytes)) }
}
