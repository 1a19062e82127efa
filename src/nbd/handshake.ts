import { isSameBytes } from '../bytes/same-bytes.ts'
import { structSizeBytes, writeStruct } from '../bytes/struct.ts'
import { BackupError, ErrorCode } from '../domain/backup-error.ts'
import { blockSizesOf, DEFAULT_BLOCK_SIZES, type BlockSizes } from './block-sizes.ts'
import {
  CAN_MULTI_CONN,
  CLIENT_FLAGS,
  FIXED_NEWSTYLE,
  GREETING,
  HAS_FLAGS,
  INFO_EXPORT,
  InfoType,
  NO_ZEROES,
  NbdOption,
  OLDSTYLE_MAGIC,
  OPTION_MAGIC,
  OptionError,
  OptionReply,
  SERVER_MAGIC,
} from './handshake-format.ts'
import { setMetaContexts } from './meta-contexts.ts'
import { connectionFailed, protocolWrong } from './nbd-error.ts'
import type { NbdSocket, NbdTls } from './nbd-socket.ts'
import type { NbdExport } from './nbd-uri.ts'
import { askOption, readFields, sendOption, type OptionPart, type OptionRefusal } from './option-haggling.ts'

/** How replies look, the newest form that both sides know. */
export type ReplyForm = 'simple' | 'structured' | 'extended'

/** What both sides agreed on. */
export type Agreement = {
  readonly sizeBytes: number
  readonly blockSizes: BlockSizes
  /** Several connections see the same bytes. */
  readonly canMultiConn: boolean
  readonly replyForm: ReplyForm
  /** The number of each context that was asked for and granted. */
  readonly contexts: ReadonlyMap<string, number>
}

export type Wanted = {
  readonly to: NbdExport
  readonly tls: NbdTls
  readonly contexts: readonly string[]
}

/** Greets, encrypts, and chooses the export. Throws CONNECTION_FAILED, PROTOCOL_WRONG, SOURCE_MISSING, SOURCE_UNSUITABLE. */
export async function shakeHands(socket: NbdSocket, wanted: Wanted): Promise<Agreement> {
  const { uri, isEncrypted } = wanted.to
  await greet(socket, uri)
  if (isEncrypted) await startTls(socket, wanted)
  const replyForm = await chooseReplyForm(socket, uri)
  const contexts = replyForm === 'simple' ? new Map<string, number>() : await setMetaContexts(socket, wanted)
  return { ...(await go(socket, wanted.to)), replyForm, contexts }
}

async function greet(socket: NbdSocket, uri: string): Promise<void> {
  const greeting = readFields(uri, GREETING, await socket.intake.read(structSizeBytes(GREETING)))
  if (!isSameBytes(greeting.magic, SERVER_MAGIC)) {
    throw connectionFailed(uri, 'what answers there does not speak NBD, required is an NBD server')
  }
  if (isSameBytes(greeting.optionMagic, OLDSTYLE_MAGIC) || (greeting.flags & FIXED_NEWSTYLE) === 0) {
    throw connectionFailed(uri, 'it speaks an old form of NBD, required is fixed newstyle negotiation')
  }
  if (!isSameBytes(greeting.optionMagic, OPTION_MAGIC))
    throw protocolWrong(uri, 'its greeting has another magic')
  const flags = new Uint8Array(structSizeBytes(CLIENT_FLAGS))
  writeStruct(CLIENT_FLAGS, flags, { flags: greeting.flags & (FIXED_NEWSTYLE | NO_ZEROES) })
  socket.write(flags)
}

async function startTls(socket: NbdSocket, { to, tls }: Wanted): Promise<void> {
  const { refusal } = await askOption(socket, to.uri, { option: NbdOption.StartTls })
  if (refusal !== null) {
    throw connectionFailed(to.uri, `TLS was asked for and the server refuses it: ${refusal.text}`)
  }
  // What came in clear text after the server agreed is not from the server.
  if (socket.intake.hasBacklog) throw protocolWrong(to.uri, 'data came before TLS began')
  await socket.startTls(to, tls)
}

async function chooseReplyForm(socket: NbdSocket, uri: string): Promise<ReplyForm> {
  const forms = [
    ['extended', NbdOption.ExtendedHeaders],
    ['structured', NbdOption.StructuredReply],
  ] as const
  for (const [form, option] of forms) {
    const { refusal } = await askOption(socket, uri, { option })
    if (refusal === null) return form
    if (refusal.type === OptionError.TlsRequired) throw refused(uri, refusal)
  }
  return 'simple'
}

async function go(
  socket: NbdSocket,
  to: NbdExport,
): Promise<Pick<Agreement, 'sizeBytes' | 'blockSizes' | 'canMultiConn'>> {
  const name = new TextEncoder().encode(to.exportName)
  const payload = new Uint8Array(4 + name.byteLength + 4)
  const view = new DataView(payload.buffer)
  view.setUint32(0, name.byteLength)
  payload.set(name, 4)
  view.setUint16(4 + name.byteLength, 1)
  view.setUint16(4 + name.byteLength + 2, InfoType.BlockSize)
  const { parts, refusal } = await askOption(socket, to.uri, { option: NbdOption.Go, payload })
  if (refusal !== null) {
    sendOption(socket, NbdOption.Abort, new Uint8Array())
    throw refused(to.uri, refusal)
  }
  const about = infoOf(to.uri, parts, InfoType.Export)
  if (about === null) throw protocolWrong(to.uri, 'it does not say how large the export is')
  const { sizeBytes, flags } = readFields(to.uri, INFO_EXPORT, about)
  if (sizeBytes === 0) {
    throw new BackupError(
      ErrorCode.SourceUnsuitable,
      `Cannot open source "${to.uri}": the export holds 0 bytes, required is one with content`,
      { data: { path: to.uri } },
    )
  }
  const sizes = infoOf(to.uri, parts, InfoType.BlockSize)
  const blockSizes = sizes === null ? DEFAULT_BLOCK_SIZES : blockSizesOf(to.uri, sizes)
  if (sizeBytes % blockSizes.minimum !== 0) {
    throw protocolWrong(to.uri, `its ${sizeBytes} bytes are not whole blocks of ${blockSizes.minimum} bytes`)
  }
  return {
    sizeBytes,
    blockSizes,
    canMultiConn: (flags & HAS_FLAGS) !== 0 && (flags & CAN_MULTI_CONN) !== 0,
  }
}

function infoOf(uri: string, parts: readonly OptionPart[], type: number): Uint8Array | null {
  let found: Uint8Array | null = null
  for (const part of parts) {
    if (part.type !== OptionReply.Info || part.payload.byteLength < 2) {
      throw protocolWrong(uri, `it answers with type ${part.type} where it should describe the export`)
    }
    if (new DataView(part.payload.buffer).getUint16(0) !== type) continue
    if (found !== null) throw protocolWrong(uri, 'it describes the export twice')
    found = part.payload
  }
  return found
}

function refused(uri: string, refusal: OptionRefusal): BackupError {
  if (refusal.type === OptionError.Unknown) {
    const message = `Cannot open source "${uri}": the server has no such export (${refusal.text}), required is the name of one that it serves`
    return new BackupError(ErrorCode.SourceMissing, message, { data: { path: uri } })
  }
  const remedy =
    refusal.type === OptionError.TlsRequired
      ? ', required is nbds:// in place of nbd:// and its certificates'
      : ''
  return connectionFailed(uri, `the server refuses: ${refusal.text}${remedy}`)
}
