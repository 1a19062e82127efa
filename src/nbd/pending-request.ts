import { Coverage } from './coverage.ts'
import type { StatusDescriptors } from './status-payload.ts'
import { Command } from './transmission-format.ts'

/** An error that the server reports for a request; the connection is as good as before. */
export type ServerError = { readonly error: number; readonly text: string }

/** A request that is under way, and what came of its answer so far. */
export type PendingRequest = (ReadRequest | StatusRequest) & {
  readonly offset: number
  readonly length: number
  readonly resolve: () => void
  readonly reject: (error: Error) => void
  error: ServerError | null
  errorCount: number
}

export type ReadRequest = {
  readonly command: typeof Command.Read
  readonly target: Uint8Array
  readonly coverage: Coverage
}

export type StatusRequest = {
  readonly command: typeof Command.BlockStatus
  /** By number of the context. */
  readonly answers: Map<number, StatusDescriptors>
}

export function readRequest(target: Uint8Array): ReadRequest {
  return { command: Command.Read, target, coverage: new Coverage(target.byteLength) }
}

/** Where bytes that the server sends for `offset` belong. Throws RangeError when they belong nowhere. */
export function placeIn(
  request: ReadRequest & { readonly offset: number },
  offset: number,
  length: number,
): Uint8Array {
  const start = offset - request.offset
  request.coverage.add(start, length)
  return request.target.subarray(start, start + length)
}
