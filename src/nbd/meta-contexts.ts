import { NbdOption, OptionError, OptionReply } from './handshake-format.ts'
import { connectionFailed, protocolWrong } from './nbd-error.ts'
import type { NbdSocket } from './nbd-socket.ts'
import { askOption } from './option-haggling.ts'
import type { NbdExport } from './nbd-uri.ts'

/** Where data lies. */
export const BASE_ALLOCATION = 'base:allocation'

/** The number that the server gives to each context that it grants; one that it does not grant is missing. */
export async function setMetaContexts(
  socket: NbdSocket,
  wanted: { readonly to: NbdExport; readonly contexts: readonly string[] },
): Promise<ReadonlyMap<string, number>> {
  const { to, contexts } = wanted
  const granted = new Map<string, number>()
  if (contexts.length === 0) return granted
  const answer = await askOption(socket, to.uri, {
    option: NbdOption.SetMetaContext,
    payload: queryPayload(to.exportName, contexts),
  })
  if (answer.refusal?.type === OptionError.TlsRequired) throw connectionFailed(to.uri, answer.refusal.text)
  // A server that does not know them, or not this export, says more when the export is opened.
  if (answer.refusal !== null) return granted
  for (const { type, payload } of answer.parts) {
    const name = payload.byteLength < 4 ? '' : new TextDecoder().decode(payload.subarray(4))
    if (type !== OptionReply.MetaContext || !contexts.includes(name) || granted.has(name)) {
      throw protocolWrong(to.uri, 'it grants a context that was not asked for')
    }
    const id = new DataView(payload.buffer).getUint32(0)
    if ([...granted.values()].includes(id)) throw protocolWrong(to.uri, 'it gives two contexts one number')
    granted.set(name, id)
  }
  return granted
}

function queryPayload(exportName: string, contexts: readonly string[]): Uint8Array {
  const encoder = new TextEncoder()
  const pieces = [encoder.encode(exportName), ...contexts.map((name) => encoder.encode(name))]
  const payload = new Uint8Array(4 + pieces.reduce((sum, piece) => sum + 4 + piece.byteLength, 0))
  const view = new DataView(payload.buffer)
  let at = 0
  for (const [index, piece] of pieces.entries()) {
    view.setUint32(at, piece.byteLength)
    payload.set(piece, at + 4)
    at += 4 + piece.byteLength
    if (index > 0) continue
    view.setUint32(at, contexts.length)
    at += 4
  }
  return payload
}
