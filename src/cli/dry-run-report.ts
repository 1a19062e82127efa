import { formatByteSize } from '../domain/byte-size.ts'
import type { BackUpRequest } from '../mover/back-up.ts'
import { planObject } from '../mover/plan-object.ts'
import { treeShape } from '../repository/tree-shape.ts'
import { ExitCode } from './exit-code.ts'
import type { CommandResult, Invocation } from './invocation.ts'
import type { IndexedRepository } from './open-repository.ts'

/** What a backup would read, and how much; nothing is stored, not even a writer's record. */
export async function dryRunReport(
  invocation: Pick<Invocation, 'randomness' | 'signal'>,
  opened: IndexedRepository,
  request: BackUpRequest,
): Promise<CommandResult> {
  const { chunkSizeBytes } = opened.repository.config
  const rows = []
  for (const source of request.sources) {
    const object = request.base?.point.objects.find(
      ({ name, kind }) => name === source.name && kind === source.kind,
    )
    const shapeOf = (sizeBytes: number): ReturnType<typeof treeShape> =>
      treeShape({ sizeBytes, chunkSizeBytes })
    const base =
      object === undefined
        ? null
        : { root: object.root, shape: shapeOf(object.sizeBytes), nodes: opened.nodes }
    const mode = base === null ? 'full' : request.mode
    const { randomness, signal } = invocation
    const { witnessCount, rotationRuns } = request.options
    const rotationStart = object?.ledger.rotationNext ?? 0
    const shape = shapeOf(source.sizeBytes)
    const plan = await planObject({
      source,
      shape,
      base,
      mode,
      witnessCount,
      rotationRuns,
      rotationStart,
      randomness,
      signal,
    })
    rows.push({
      name: source.name,
      mode,
      sizeBytes: source.sizeBytes,
      allocatedBytes: plan.allocatedBytes,
      readBytes: plan.plannedReadBytes,
    })
  }
  const text = rows.map(
    (row) =>
      `Would read ${formatByteSize(row.readBytes)} of ${row.name} (${row.mode}; ${formatByteSize(row.allocatedBytes)} hold data)`,
  )
  return {
    json: { dryRun: true, lineage: request.lineage, basePointId: request.base?.id ?? null, objects: rows },
    text: text.join('\n'),
    exitCode: ExitCode.Done,
  }
}
