import assert from 'node:assert/strict'
import type { Extent, ExtentBatch } from '../domain/extent.ts'
import type { FrozenImage } from '../domain/frozen-image.ts'
import { endOf, type Range } from '../domain/range.ts'
import { normaliseExtents } from '../extents/normalise-extents.ts'
import { BASE_ALLOCATION } from './meta-contexts.ts'
import { NbdClient, type NbdClientOptions } from './nbd-client.ts'
import { readAligned } from './read-aligned.ts'
import { statusExtents } from './status-extents.ts'

/** Flag of `base:allocation`: reads as zeros. A hole that does not say so holds anything, and is data. */
const READS_AS_ZERO = 2
const SECTOR_LEAST_BYTES = 512

/** An export as a frozen image: its only device, number 0, is itself. Somebody else has to see to it that it stands still. */
export type NbdImage = FrozenImage & {
  readonly uri: string
  /** The same bytes may be read through several connections at once. */
  readonly canMultiConn: boolean
  /** The server tells data from holes. */
  readonly hasMap: boolean
  readonly client: NbdClient
}

export type OpenNbdOptions = Omit<NbdClientOptions, 'contexts'> & {
  /** Contexts beside the map, such as a dirty bitmap. */
  readonly contexts?: readonly string[]
}

/** Throws CONNECTION_FAILED, PROTOCOL_WRONG, SOURCE_MISSING, SOURCE_UNSUITABLE, or the reason of `signal`. */
export async function openNbdImage(options: OpenNbdOptions, signal: AbortSignal): Promise<NbdImage> {
  const contexts = [BASE_ALLOCATION, ...(options.contexts ?? [])]
  return nbdImage(await NbdClient.open({ ...options, contexts }, signal), options.to.uri)
}

function nbdImage(client: NbdClient, uri: string): NbdImage {
  const { sizeBytes, blockSizes, canMultiConn, contexts } = client.agreement
  const contextId = contexts.get(BASE_ALLOCATION)
  return {
    uri,
    client,
    canMultiConn,
    hasMap: contextId !== undefined,
    sizeBytes,
    sectorSizeBytes: Math.max(SECTOR_LEAST_BYTES, blockSizes.minimum),
    extents(range, signal) {
      assert(range.offset >= 0 && endOf(range) <= sizeBytes)
      const extents =
        contextId === undefined
          ? [[dataExtent(range)]]
          : allocation(client, { uri, contextId, range }, signal)
      return normaliseExtents(extents, { startOffset: range.offset, endOffset: endOf(range) })
    },
    readInto: (target, offset) => readAligned(client, target, offset),
    [Symbol.asyncDispose]: () => client[Symbol.asyncDispose](),
  }
}

async function* allocation(
  client: NbdClient,
  of: { readonly uri: string; readonly contextId: number; readonly range: Range },
  signal: AbortSignal,
): AsyncGenerator<ExtentBatch, void, undefined> {
  const { minimum } = client.agreement.blockSizes
  const { offset } = of.range
  const start = offset - (offset % minimum)
  const range = { offset: start, length: endOf(of.range) - start }
  for await (const batch of statusExtents(client, { ...of, range }, signal)) {
    const extents: Extent[] = []
    for (const { flags, ...whole } of batch) {
      if (endOf(whole) <= offset) continue
      const first = Math.max(whole.offset, offset)
      const part = { offset: first, length: endOf(whole) - first }
      extents.push((flags & READS_AS_ZERO) === 0 ? dataExtent(part) : { kind: 'zero', ...part })
    }
    yield extents
  }
}

function dataExtent({ offset, length }: Range): Extent {
  return { kind: 'data', offset, length, device: 0, physicalOffset: offset }
}
