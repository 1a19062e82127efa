import { basename } from 'node:path'
import { ErrorCode, isBackupError } from '../../domain/backup-error.ts'
import { inOrder } from '../../extents/in-order.ts'
import { RangeTable } from '../../extents/range-table.ts'
import type { RangeStream } from '../../mover/backup-source.ts'
import type { AgentApi, ImageOfAgent } from '../../rpc/agent-api.ts'
import type { FrozenPart } from '../freeze/frozen-source.ts'
import type { OpenedSource } from '../open-source.ts'

/** An image that an agent holds for this run. */
export type AgentImageParts = {
  readonly agent: AgentApi
  readonly image: ImageOfAgent
  /** The agent's host, as the user named it. */
  readonly host: string
  readonly signal: AbortSignal
}

type Facts = Pick<
  OpenedSource,
  'path' | 'realPath' | 'title' | 'type' | 'sizeBytes' | 'sectorSizeBytes' | 'handOver'
>

/** What is the same whichever way the bytes come. */
export function agentSourceFacts({ image, host }: AgentImageParts): Facts {
  const { source, provider, heldSource, sizeBytes, sectorSizeBytes } = image
  return {
    path: source,
    realPath: `${host}:${provider}:${heldSource}`,
    title: basename(source),
    type: provider === 'reflink' ? 'file' : 'device',
    sizeBytes,
    sectorSizeBytes,
    handOver: () => Promise.resolve(),
  }
}

export function agentFrozenPart(parts: AgentImageParts): Pick<FrozenPart, 'record' | 'changesSince'> {
  const { image, host } = parts
  const { provider, heldId: id, heldSource: source, windowMs } = image
  return {
    record: {
      provider,
      id,
      source,
      windowMs: windowMs === null ? null : Math.ceil(windowMs),
      agentHost: host,
    },
    changesSince: (pointId, signal) => changesSince(parts, pointId, signal),
  }
}

/** Asked once and wholly: what is stored follows one answer, and one that is cut short is an error before anything is. */
async function changesSince(
  { agent, image }: AgentImageParts,
  basePointId: string,
  signal: AbortSignal,
): Promise<RangeStream | 'lost' | null> {
  if (image.base !== 'held') return image.base === 'lost' ? 'lost' : null
  try {
    const from = { imageId: image.imageId, startingOffset: 0, basePointId }
    const table = await RangeTable.read(agent.delta(from, signal))
    return () => inOrder(table.batches())
  } catch (error) {
    // A list that is none is no list: everything is compared.
    if (error instanceof RangeError || isBackupError(error, ErrorCode.ChangesUnknown)) return 'lost'
    throw error
  }
}
