import { createServer, type Socket } from 'node:net'
import { once } from 'node:events'

import {
  readStruct,
  structSizeBytes,
  writeStruct,
  type Layout,
  type StructValues,
} from '../../src/bytes/struct.ts'
import {
  GREETING,
  OPTION_HEADER,
  OPTION_MAGIC,
  OPTION_REPLY,
  OPTION_REPLY_MAGIC,
  NbdOption,
  SERVER_MAGIC,
} from '../../src/nbd/handshake-format.ts'
import { Command, EXTENDED_REQUEST, REQUEST } from '../../src/nbd/transmission-format.ts'
import type { TemporaryFolder } from './temporary-folder.ts'

export type NbdRequest = {
  readonly command: number
  readonly cookie: number
  readonly offset: number
  readonly length: number
}

/** A server that says whatever a test wants, in the form that real ones speak, or in none. */
export type NbdScript = {
  readonly sizeBytes: number
  readonly greeting?: Uint8Array
  /** The newest form of replies that it agrees to. */
  readonly form?: 'simple' | 'structured' | 'extended'
  /** Answers to options, in place of the right ones; null: no answer at all. */
  readonly onOption?: (option: number, payload: Uint8Array) => readonly Uint8Array[] | null | undefined
  readonly onRequest?: (request: NbdRequest) => readonly Uint8Array[]
}

export type ScriptedNbd = AsyncDisposable & { readonly uri: string; readonly connectionCount: () => number }

export async function startScriptedNbd(folder: TemporaryFolder, script: NbdScript): Promise<ScriptedNbd> {
  const path = folder.join(`scripted-${Math.floor(performance.now() * 1000)}.sock`)
  const sockets: Socket[] = []
  const server = createServer((socket) => {
    sockets.push(socket)
    socket.on('error', () => undefined)
    speak(socket, script).catch(() => socket.destroy())
  })
  server.listen(path)
  await once(server, 'listening')
  return {
    uri: `nbd+unix:///x?socket=${encodeURIComponent(path)}`,
    connectionCount: () => sockets.length,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}

type TakeBytes = (count: number) => Promise<Uint8Array>

async function speak(socket: Socket, script: NbdScript): Promise<void> {
  const take = byteReader(socket)
  socket.write(
    script.greeting ?? struct(GREETING, { magic: SERVER_MAGIC, optionMagic: OPTION_MAGIC, flags: 3 }),
  )
  await take(4)
  if (await haggle(socket, script, take)) await serve(socket, script, take)
}

/** False when the script has no more answers. */
async function haggle(socket: Socket, script: NbdScript, take: TakeBytes): Promise<boolean> {
  for (;;) {
    const { option, length } = readStruct(OPTION_HEADER, await take(structSizeBytes(OPTION_HEADER)))
    const payload = await take(length)
    const answer = script.onOption?.(option, payload)
    if (answer === null) return false
    for (const part of answer ?? usualAnswer(option, script)) socket.write(part)
    if (option === NbdOption.Go) return true
  }
}

async function serve(socket: Socket, script: NbdScript, take: TakeBytes): Promise<void> {
  const layout = script.form === 'extended' ? EXTENDED_REQUEST : REQUEST
  for (;;) {
    const request = readStruct(layout, await take(structSizeBytes(layout)))
    if (request.command === Command.Disconnect) socket.end()
    for (const part of script.onRequest?.(request) ?? []) socket.write(part)
  }
}

function usualAnswer(option: number, script: NbdScript): readonly Uint8Array[] {
  const form = script.form ?? 'structured'
  switch (option) {
    case NbdOption.ExtendedHeaders:
      return [form === 'extended' ? acknowledged(option) : optionReply(option, 2 ** 31 + 1)]
    case NbdOption.StructuredReply:
      return [form === 'structured' ? acknowledged(option) : optionReply(option, 2 ** 31 + 1)]
    case NbdOption.SetMetaContext:
      return [
        optionReply(option, 4, Buffer.concat([u32(7), Buffer.from('base:allocation')])),
        acknowledged(option),
      ]
    case NbdOption.Go:
      return [optionReply(option, 3, exportInfo(script.sizeBytes)), acknowledged(option)]
    default:
      return [optionReply(option, 2 ** 31 + 1)]
  }
}

export function exportInfo(sizeBytes: number, flags = 1): Uint8Array {
  return Buffer.concat([u16(0), u64(sizeBytes), u16(flags)])
}

export function acknowledged(option: number): Uint8Array {
  return optionReply(option, 1)
}

export function optionReply(
  option: number,
  type: number,
  payload: Uint8Array = new Uint8Array(),
): Uint8Array {
  const head = struct(OPTION_REPLY, { magic: OPTION_REPLY_MAGIC, option, type, length: payload.byteLength })
  return Buffer.concat([head, payload])
}

/** A chunk of a structured reply; `length` and `magic` may lie. */
export function chunk(about: {
  readonly cookie: number
  readonly type: number
  readonly isLast?: boolean
  readonly payload?: Uint8Array
  readonly length?: number
  readonly magic?: number
}): Uint8Array {
  const { cookie, type, isLast = true, payload = new Uint8Array(), magic = 0x668e33ef } = about
  const length = about.length ?? payload.byteLength
  return Buffer.concat([u32(magic), u16(isLast ? 1 : 0), u16(type), u64(cookie), u32(length), payload])
}

/** The same with an extended header. */
export function extendedChunk(about: {
  readonly request: NbdRequest
  readonly type: number
  readonly isLast?: boolean
  readonly payload?: Uint8Array
  readonly length?: number
  readonly offset?: number
}): Uint8Array {
  const { request, type, isLast = true, payload = new Uint8Array() } = about
  const { offset = request.offset, length = payload.byteLength } = about
  return Buffer.concat([
    u32(0x6e8a278c),
    u16(isLast ? 1 : 0),
    u16(type),
    u64(request.cookie),
    u64(offset),
    u64(length),
    payload,
  ])
}

export function simpleReply(cookie: number, error: number, data: Uint8Array = new Uint8Array()): Uint8Array {
  return Buffer.concat([u32(0x67446698), u32(error), u64(cookie), data])
}

export function u16(value: number): Buffer {
  const bytes = Buffer.alloc(2)
  bytes.writeUInt16BE(value)
  return bytes
}

export function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

export function u64(value: number | bigint): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64BE(BigInt(value))
  return bytes
}

function struct<const L extends Layout>(layout: L, values: StructValues<L>): Uint8Array {
  const bytes = new Uint8Array(structSizeBytes(layout))
  writeStruct(layout, bytes, values)
  return bytes
}

/** Takes so many bytes from a socket, in order. Rejects at its end. */
function byteReader(socket: Socket): TakeBytes {
  const chunks = socket[Symbol.asyncIterator]()
  let rest = Buffer.alloc(0)
  return async (count) => {
    while (rest.byteLength < count) {
      const next: IteratorResult<unknown> = await chunks.next()
      if (next.done === true || !Buffer.isBuffer(next.value)) throw new Error('the client is gone')
      rest = Buffer.concat([rest, next.value])
    }
    const bytes = rest.subarray(0, count)
    rest = rest.subarray(count)
    return bytes
  }
}
