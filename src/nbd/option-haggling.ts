import { BackupError } from '../domain/backup-error.ts'
import { readStruct, structSizeBytes, writeStruct, type Layout, type StructValues } from '../bytes/struct.ts'
import { isSameBytes } from '../bytes/same-bytes.ts'
import {
  FIRST_OPTION_ERROR,
  OPTION_HEADER,
  OPTION_MAGIC,
  OPTION_REPLY,
  OPTION_REPLY_MAGIC,
  OptionError,
  OptionReply,
  type NbdOption,
} from './handshake-format.ts'
import { protocolWrong, serverText } from './nbd-error.ts'
import type { NbdSocket } from './nbd-socket.ts'

/** No answer to an option that is sent here is longer. */
const REPLY_BYTES_MAX = 16 * 1024
/** Nor has it more parts: a server that knows more to say of an export is not asked for it. */
const REPLIES_MAX = 64

/** A part of an answer, before the last one. */
export type OptionPart = { readonly type: number; readonly payload: Uint8Array }
export type OptionRefusal = { readonly type: number; readonly text: string }
export type OptionAnswer = {
  readonly parts: readonly OptionPart[]
  /** Null: the server agreed. */
  readonly refusal: OptionRefusal | null
}

/** Asks for one option, and waits for the whole answer. Throws PROTOCOL_WRONG, CONNECTION_FAILED. */
export async function askOption(
  socket: NbdSocket,
  uri: string,
  ask: { readonly option: NbdOption; readonly payload?: Uint8Array },
): Promise<OptionAnswer> {
  const { option, payload = new Uint8Array() } = ask
  sendOption(socket, option, payload)
  const parts: OptionPart[] = []
  while (parts.length < REPLIES_MAX) {
    const head = readFields(uri, OPTION_REPLY, await socket.intake.read(structSizeBytes(OPTION_REPLY)))
    if (!isSameBytes(head.magic, OPTION_REPLY_MAGIC)) throw protocolWrong(uri, 'an answer has another magic')
    if (head.option !== option)
      throw protocolWrong(uri, `it answers option ${head.option} instead of ${option}`)
    if (head.length > REPLY_BYTES_MAX) throw protocolWrong(uri, `an answer has ${head.length} bytes`)
    const bytes = await socket.intake.read(head.length)
    if (head.type >= FIRST_OPTION_ERROR) {
      return { parts, refusal: { type: head.type, text: refusalText(head.type, bytes) } }
    }
    if (head.type === OptionReply.Ack) {
      if (bytes.byteLength > 0) throw protocolWrong(uri, 'an acknowledgement carries data')
      return { parts, refusal: null }
    }
    parts.push({ type: head.type, payload: bytes })
  }
  throw protocolWrong(uri, `an answer has more than ${REPLIES_MAX} parts`)
}

export function sendOption(socket: NbdSocket, option: NbdOption, payload: Uint8Array): void {
  const headSize = structSizeBytes(OPTION_HEADER)
  const bytes = new Uint8Array(headSize + payload.byteLength)
  writeStruct(OPTION_HEADER, bytes, { magic: OPTION_MAGIC, option, length: payload.byteLength })
  bytes.set(payload, headSize)
  socket.write(bytes)
}

/** The fields of what a server sent; too short, or beyond 2^53, is wrong. */
export function readFields<const L extends Layout>(
  uri: string,
  layout: L,
  bytes: Uint8Array,
): StructValues<L> {
  try {
    return readStruct(layout, bytes)
  } catch (cause) {
    if (cause instanceof RangeError && !(cause instanceof BackupError))
      throw protocolWrong(uri, cause.message)
    throw cause
  }
}

const MEANINGS: Readonly<Record<number, string>> = {
  [OptionError.Unsupported]: 'it does not know this',
  [OptionError.Policy]: 'its policy forbids it',
  [OptionError.Invalid]: 'it calls the request invalid',
  [OptionError.Platform]: 'its platform does not support it',
  [OptionError.TlsRequired]: 'it requires TLS',
  [OptionError.Unknown]: 'it has no such export',
  [OptionError.ShuttingDown]: 'it is shutting down',
  [OptionError.BlockSizeRequired]: 'it requires a client that respects block sizes',
  [OptionError.TooBig]: 'it calls the request too large',
  [OptionError.ExtendedHeadersRequired]: 'it requires extended headers',
}

function refusalText(type: number, bytes: Uint8Array): string {
  const meaning = MEANINGS[type] ?? `error ${type - FIRST_OPTION_ERROR}`
  return bytes.byteLength === 0 ? meaning : `${meaning} ("${serverText(bytes)}")`
}
