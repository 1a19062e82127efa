import assert from 'node:assert/strict'
import { test } from 'node:test'

import { openNbd } from '../../test/support/open-nbd.ts'
import {
  acknowledged,
  chunk,
  exportInfo,
  extendedChunk,
  optionReply,
  simpleReply,
  startScriptedNbd,
  u16,
  u32,
  u64,
  type NbdRequest,
  type NbdScript,
} from '../../test/support/scripted-nbd-server.ts'
import { temporaryFolder } from '../../test/support/temporary-folder.ts'
import { ErrorCode } from '../domain/backup-error.ts'
import type { Extent } from '../domain/extent.ts'
import { NbdOption } from './handshake-format.ts'
import type { NbdImage } from './open-nbd-image.ts'
import { ChunkType } from './transmission-format.ts'

const SIZE = 1024 * 1024
const LENGTH = 4096
const GUARD = 0xa5
const signal = new AbortController().signal
const bytes = (length: number): Uint8Array => new Uint8Array(length).fill(1)

async function withServer(
  script: NbdScript,
  use: (image: NbdImage, uri: string) => Promise<void>,
): Promise<void> {
  using folder = temporaryFolder()
  await using server = await startScriptedNbd(folder, script)
  await using image = await openNbd(server.uri)
  await use(image, server.uri)
}

/** Reads into the middle of guarded memory, and demands a refusal that leaves what is around as it was. */
async function assertReadRefused(
  answer: (request: NbdRequest) => readonly Uint8Array[],
  refusal: { readonly code?: ErrorCode; readonly message: RegExp; readonly form?: NbdScript['form'] },
): Promise<void> {
  const { code = ErrorCode.ProtocolWrong, message, form = 'structured' } = refusal
  await withServer({ sizeBytes: SIZE, form, onRequest: answer }, async (image) => {
    const memory = new Uint8Array(3 * LENGTH).fill(GUARD)
    await assert.rejects(image.readInto(memory.subarray(LENGTH, 2 * LENGTH), 8192), { code, message })
    assert(memory.subarray(0, LENGTH).every((byte) => byte === GUARD))
    assert(memory.subarray(2 * LENGTH).every((byte) => byte === GUARD))
  })
}

const data = (offset: number | bigint, length: number): Uint8Array =>
  Buffer.concat([u64(offset), bytes(length)])
const { OffsetData, OffsetHole, BlockStatus, BlockStatusExtended, None } = ChunkType

const READS: readonly [string, RegExp, (request: NbdRequest) => readonly Uint8Array[]][] = [
  ['another magic', /another magic/, ({ cookie }) => [chunk({ cookie, type: None, magic: 0x12345678 })]],
  ['a cookie that is not under way', /answers request 77/, () => [chunk({ cookie: 77, type: None })]],
  [
    'a cookie beyond 2^53',
    /cookie/,
    () => [Buffer.concat([u32(0x668e33ef), u16(1), u16(0), u64(2n ** 63n), u32(0)])],
  ],
  [
    'data of 4 GiB',
    /answers bytes/,
    ({ cookie, offset }) => [chunk({ cookie, type: OffsetData, length: 2 ** 32 - 1, payload: u64(offset) })],
  ],
  [
    'data before the request',
    /answers bytes/,
    ({ cookie, offset }) => [chunk({ cookie, type: OffsetData, payload: data(offset - 1, LENGTH) })],
  ],
  [
    'data beyond the request',
    /answers bytes/,
    ({ cookie, offset }) => [chunk({ cookie, type: OffsetData, payload: data(offset + 1, LENGTH) })],
  ],
  [
    'data at 2^63',
    /offset/,
    ({ cookie }) => [chunk({ cookie, type: OffsetData, payload: data(2n ** 63n, 10) })],
  ],
  [
    'data without data',
    /answers bytes/,
    ({ cookie, offset }) => [chunk({ cookie, type: OffsetData, payload: u64(offset) })],
  ],
  [
    'data shorter than its offset',
    /answers bytes/,
    ({ cookie }) => [chunk({ cookie, type: OffsetData, length: 3, payload: u64(8192) })],
  ],
  [
    'overlapping data',
    /twice/,
    ({ cookie, offset }) => [
      chunk({ cookie, type: OffsetData, isLast: false, payload: data(offset, 2048) }),
      chunk({ cookie, type: OffsetData, payload: data(offset + 2047, 2049) }),
    ],
  ],
  [
    'a hole over data',
    /twice/,
    ({ cookie, offset }) => [
      chunk({ cookie, type: OffsetData, isLast: false, payload: data(offset, LENGTH) }),
      chunk({ cookie, type: OffsetHole, payload: Buffer.concat([u64(offset), u32(1)]) }),
    ],
  ],
  [
    'a hole of no bytes',
    /answers bytes/,
    ({ cookie, offset }) => [
      chunk({ cookie, type: OffsetHole, payload: Buffer.concat([u64(offset), u32(0)]) }),
    ],
  ],
  [
    'a hole beyond the request',
    /answers bytes/,
    ({ cookie, offset }) => [
      chunk({ cookie, type: OffsetHole, payload: Buffer.concat([u64(offset), u32(LENGTH + 1)]) }),
    ],
  ],
  [
    'a hole of another form',
    /a hole takes/,
    ({ cookie }) => [chunk({ cookie, type: OffsetHole, payload: bytes(16) })],
  ],
  [
    'missing bytes',
    /in part/,
    ({ cookie, offset }) => [chunk({ cookie, type: OffsetData, payload: data(offset, LENGTH - 1) })],
  ],
  ['nothing at all', /in part/, ({ cookie }) => [chunk({ cookie, type: None })]],
  [
    'an empty chunk that is not the last',
    /not the last/,
    ({ cookie }) => [chunk({ cookie, type: None, isLast: false })],
  ],
  ['a status', /not asked for/, ({ cookie }) => [chunk({ cookie, type: BlockStatus, payload: bytes(12) })]],
  ['a type that nobody knows', /type 99/, ({ cookie }) => [chunk({ cookie, type: 99, payload: bytes(12) })]],
  ['a simple reply', /simple reply/, ({ cookie }) => [simpleReply(cookie, 0, bytes(LENGTH))]],
  [
    'an error without a number',
    /an error is none/,
    ({ cookie }) => [chunk({ cookie, type: ChunkType.Error, payload: bytes(6).fill(0) })],
  ],
  [
    'an error with a text of 4 GiB',
    /an error takes/,
    ({ cookie }) => [chunk({ cookie, type: ChunkType.Error, length: 2 ** 32 - 1 })],
  ],
  [
    'an error whose text is not there',
    /an error is none/,
    ({ cookie }) => [chunk({ cookie, type: ChunkType.Error, payload: Buffer.concat([u32(5), u16(500)]) })],
  ],
  [
    'errors without end',
    /too many/,
    ({ cookie }) =>
      Array.from({ length: 100 }, () =>
        chunk({ cookie, type: ChunkType.Error, isLast: false, payload: Buffer.concat([u32(5), u16(0)]) }),
      ),
  ],
  [
    'an answer twice',
    /not under way/,
    ({ cookie, offset }) => [
      Buffer.concat([
        chunk({ cookie, type: ChunkType.Error, payload: Buffer.concat([u32(5), u16(0)]) }),
        chunk({ cookie, type: OffsetData, payload: data(offset, LENGTH) }),
      ]),
    ],
  ],
]

for (const [name, message, answer] of READS) {
  test(`readInto() refuses ${name}`, async () => {
    if (name !== 'an answer twice') return await assertReadRefused(answer, { message })
    // The first answer counts; the connection is given up at the second.
    await withServer({ sizeBytes: SIZE, onRequest: answer }, async (image) => {
      await assert.rejects(image.readInto(new Uint8Array(LENGTH), 0), { code: ErrorCode.SourceReadFailed })
      await assert.rejects(image.readInto(new Uint8Array(LENGTH), 0), {
        code: ErrorCode.ProtocolWrong,
        message,
      })
    })
  })
}

const everyOtherByte = ({ cookie, offset, length }: NbdRequest): readonly Uint8Array[] =>
  Array.from({ length: length / 2 }, (_, i) =>
    chunk({ cookie, type: OffsetData, isLast: false, payload: data(offset + 2 * i, 1) }),
  )

test('readInto() refuses data that is scattered to cost time', async () => {
  await assertReadRefused(everyOtherByte, { message: /scattered/ })
})

test('readInto() passes on what the server reports, without what would steer a terminal', async () => {
  const text = Buffer.from('disk \u001b[31mon fire\n')
  const payload = Buffer.concat([u32(5), u16(text.byteLength), text, u64(8192)])
  await assertReadRefused(({ cookie }) => [chunk({ cookie, type: ChunkType.ErrorOffset, payload })], {
    code: ErrorCode.SourceReadFailed,
    message: /at offset 8192, length 4096: the NBD server reports EIO \("disk  ?\[31mon fire ?"\)$/,
  })
  await assertReadRefused(({ cookie }) => [simpleReply(cookie, 28)], {
    code: ErrorCode.SourceReadFailed,
    message: /reports ENOSPC$/,
    form: 'simple',
  })
})

const inDisorder = ({ cookie, offset }: NbdRequest): readonly Uint8Array[] => [
  chunk({ cookie, type: OffsetData, isLast: false, payload: data(offset + 3000, 1096) }),
  chunk({
    cookie,
    type: OffsetHole,
    isLast: false,
    payload: Buffer.concat([u64(offset + 1000), u32(2000)]),
  }),
  chunk({ cookie, type: OffsetData, isLast: false, payload: data(offset, 1000) }),
  chunk({ cookie, type: None }),
]

test('readInto() takes chunks in any order, and simple and extended replies', async () => {
  const scripts: readonly NbdScript[] = [
    { sizeBytes: SIZE, onRequest: inDisorder },
    {
      sizeBytes: SIZE,
      form: 'simple',
      onRequest: ({ cookie }) => [
        simpleReply(cookie, 0, Buffer.concat([bytes(1000), bytes(2000).fill(0), bytes(1096)])),
      ],
    },
    {
      sizeBytes: SIZE,
      form: 'extended',
      onRequest: (request) => [
        extendedChunk({ request, type: OffsetData, isLast: false, payload: data(request.offset, 1000) }),
        extendedChunk({
          request,
          type: OffsetHole,
          isLast: false,
          payload: Buffer.concat([u64(request.offset + 1000), u32(2000)]),
        }),
        extendedChunk({ request, type: OffsetData, payload: data(request.offset + 3000, 1096) }),
      ],
    },
  ]
  for (const script of scripts) {
    await withServer(script, async (image) => {
      const target = new Uint8Array(LENGTH).fill(GUARD)
      await image.readInto(target, 8192)
      assert.deepEqual([...new Set(target.subarray(0, 1000))], [1])
      assert.deepEqual([...new Set(target.subarray(1000, 3000))], [0])
      assert.deepEqual([...new Set(target.subarray(3000))], [1])
    })
  }
})

test('readInto() refuses an extended reply for another offset, and one of 2^60 bytes', async () => {
  await assertReadRefused((request) => [extendedChunk({ request, type: None, offset: 0 })], {
    message: /another offset/,
    form: 'extended',
  })
  await assertReadRefused(
    (request) => [
      extendedChunk({ request, type: OffsetData, length: 2 ** 52, payload: u64(request.offset) }),
    ],
    { message: /answers bytes/, form: 'extended' },
  )
})

async function map(image: NbdImage): Promise<Extent[]> {
  const extents: Extent[] = []
  for await (const batch of image.extents({ offset: 0, length: image.sizeBytes }, signal))
    extents.push(...batch)
  return extents
}

/** Descriptors of 32 bits, after the number of the context. */
function status(...pairs: readonly (readonly [length: number, flags: number])[]): Uint8Array {
  return Buffer.concat([u32(7), ...pairs.flatMap(([length, flags]) => [u32(length), u32(flags)])])
}

const STATUSES: readonly [string, RegExp, (request: NbdRequest) => readonly Uint8Array[]][] = [
  [
    'an extent of no bytes',
    /extent of 0 bytes/,
    ({ cookie }) => [chunk({ cookie, type: BlockStatus, payload: status([0, 0]) })],
  ],
  [
    'an extent beyond the end',
    /of 1048576/,
    ({ cookie }) => [chunk({ cookie, type: BlockStatus, payload: status([SIZE + 1, 0]) })],
  ],
  ['no extents', /a status takes/, ({ cookie }) => [chunk({ cookie, type: BlockStatus, payload: u32(7) })]],
  [
    'a cut extent',
    /a status takes/,
    ({ cookie }) => [chunk({ cookie, type: BlockStatus, payload: bytes(11) })],
  ],
  [
    'extents of 4 GiB',
    /a status takes/,
    ({ cookie }) => [chunk({ cookie, type: BlockStatus, length: 2 ** 32 - 4 })],
  ],
  [
    'another context',
    /without being asked/,
    ({ cookie }) => [
      chunk({ cookie, type: BlockStatus, payload: Buffer.concat([u32(8), u32(SIZE), u32(0)]) }),
    ],
  ],
  [
    'one context twice',
    /twice/,
    ({ cookie }) => [
      chunk({ cookie, type: BlockStatus, isLast: false, payload: status([SIZE, 0]) }),
      chunk({ cookie, type: BlockStatus, payload: status([SIZE, 0]) }),
    ],
  ],
  ['no status', /leaves a context out/, ({ cookie }) => [chunk({ cookie, type: None })]],
  ['data', /no answer/, ({ cookie }) => [chunk({ cookie, type: OffsetData, payload: data(0, 10) })]],
  [
    'a status in 64 bits',
    /not asked for/,
    ({ cookie }) => [chunk({ cookie, type: BlockStatusExtended, payload: bytes(24) })],
  ],
  [
    'steps without end',
    /endless/,
    ({ cookie }) => [chunk({ cookie, type: BlockStatus, payload: status([1, 0]) })],
  ],
]

for (const [name, message, answer] of STATUSES) {
  test(`extents() refuses ${name}`, async () => {
    await withServer({ sizeBytes: SIZE, onRequest: answer }, async (image) => {
      await assert.rejects(map(image), { code: ErrorCode.ProtocolWrong, message })
    })
  })
}

test('extents() takes a last extent that is longer than what was asked about, and maps in 64 bits', async () => {
  const huge = 2 ** 45
  const onRequest = (request: NbdRequest): readonly Uint8Array[] => {
    const payload = Buffer.concat([u32(7), u32(2), u64(2 ** 40), u64(3), u64(huge - 2 ** 40), u64(0)])
    return [extendedChunk({ request, type: BlockStatusExtended, payload })]
  }
  await withServer({ sizeBytes: huge, form: 'extended', onRequest }, async (image) => {
    assert.deepEqual(
      (await map(image)).map(({ kind, length }) => [kind, length]),
      [
        ['zero', 2 ** 40],
        ['data', huge - 2 ** 40],
      ],
    )
    const part: Extent[] = []
    for await (const batch of image.extents({ offset: 0, length: 5 }, signal)) part.push(...batch)
    assert.deepEqual(part, [{ kind: 'zero', offset: 0, length: 5 }])
  })
})

test('extents() calls data what is a hole but not said to read as zeros', async () => {
  const onRequest = ({ cookie }: NbdRequest): readonly Uint8Array[] => [
    chunk({ cookie, type: BlockStatus, payload: status([4096, 1], [4096, 2], [SIZE - 8192, 3]) }),
  ]
  await withServer({ sizeBytes: SIZE, onRequest }, async (image) => {
    assert.deepEqual(
      (await map(image)).map(({ kind, length }) => [kind, length]),
      [
        ['data', 4096],
        ['zero', SIZE - 4096],
      ],
    )
  })
})

const GO = NbdOption.Go
type OnOption = NonNullable<NbdScript['onOption']>
const only =
  (option: number, answer: readonly Uint8Array[]): OnOption =>
  (asked) =>
    asked === option ? answer : undefined
const described = (...parts: readonly Uint8Array[]): OnOption =>
  only(GO, [...parts.map((part) => optionReply(GO, 3, part)), acknowledged(GO)])
const blockSizes = (...sizes: readonly number[]): Uint8Array => Buffer.concat([u16(3), ...sizes.map(u32)])

const HANDSHAKES: readonly [string, ErrorCode, RegExp, Partial<NbdScript>][] = [
  [
    'a server of something else',
    ErrorCode.ConnectionFailed,
    /does not speak NBD/,
    { greeting: Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n') },
  ],
  [
    'an oldstyle server',
    ErrorCode.ConnectionFailed,
    /old form/,
    {
      greeting: Buffer.concat([Buffer.from('NBDMAGIC'), Buffer.from('0000420281861253', 'hex'), bytes(200)]),
    },
  ],
  [
    'a magic of its own in an answer',
    ErrorCode.ProtocolWrong,
    /another magic/,
    { onOption: only(NbdOption.ExtendedHeaders, [bytes(20)]) },
  ],
  [
    'an answer to another option',
    ErrorCode.ProtocolWrong,
    /answers option 7 instead of 11/,
    { onOption: only(NbdOption.ExtendedHeaders, [acknowledged(GO)]) },
  ],
  [
    'an answer of 4 GiB',
    ErrorCode.ProtocolWrong,
    /has 4294967295 bytes/,
    { onOption: only(GO, [Buffer.concat([optionReply(GO, 3).subarray(0, 16), u32(2 ** 32 - 1)])]) },
  ],
  [
    'answers without end',
    ErrorCode.ProtocolWrong,
    /more than 64 parts/,
    {
      onOption: only(
        GO,
        Array.from({ length: 100 }, () => optionReply(GO, 3, exportInfo(SIZE))),
      ),
    },
  ],
  ['an export without a size', ErrorCode.ProtocolWrong, /how large/, { onOption: described() }],
  [
    'an export of two sizes',
    ErrorCode.ProtocolWrong,
    /twice/,
    { onOption: described(exportInfo(SIZE), exportInfo(2 * SIZE)) },
  ],
  [
    'an export of 2^63 bytes',
    ErrorCode.ProtocolWrong,
    /sizeBytes/,
    { onOption: described(Buffer.concat([u16(0), u64(2n ** 63n), u16(1)])) },
  ],
  ['an export of 0 bytes', ErrorCode.SourceUnsuitable, /0 bytes/, { onOption: described(exportInfo(0)) }],
  [
    'blocks of 3 bytes',
    ErrorCode.ProtocolWrong,
    /block sizes/,
    { onOption: described(exportInfo(SIZE), blockSizes(3, 4096, 8192)) },
  ],
  [
    'blocks of 1 GiB',
    ErrorCode.ProtocolWrong,
    /block sizes/,
    { onOption: described(exportInfo(SIZE), blockSizes(2 ** 30, 2 ** 30, 2 ** 30)) },
  ],
  [
    'a largest request of 0 bytes',
    ErrorCode.ProtocolWrong,
    /block sizes/,
    { onOption: described(exportInfo(SIZE), blockSizes(1, 4096, 0)) },
  ],
  [
    'a size of half a block',
    ErrorCode.ProtocolWrong,
    /not whole blocks/,
    { onOption: described(exportInfo(SIZE + 512), blockSizes(4096, 4096, 8192)) },
  ],
  [
    'a context that was not asked for',
    ErrorCode.ProtocolWrong,
    /not asked for/,
    {
      onOption: only(10, [optionReply(10, 4, Buffer.concat([u32(1), Buffer.from('x:y')])), acknowledged(10)]),
    },
  ],
  [
    'a refusal that would steer a terminal',
    ErrorCode.ConnectionFailed,
    /policy forbids it \("go \[2Jaway"\)$/,
    { onOption: only(GO, [optionReply(GO, 2 ** 31 + 2, Buffer.from('go\u001b[2Jaway'))]) },
  ],
  [
    'a server that wants TLS',
    ErrorCode.ConnectionFailed,
    /it requires TLS, required is nbds:/,
    { onOption: only(NbdOption.ExtendedHeaders, [optionReply(11, 2 ** 31 + 5)]) },
  ],
  [
    'floods that nobody asked for',
    ErrorCode.ProtocolWrong,
    /nobody asked for|another magic/,
    { greeting: Buffer.alloc(4 * 1024 * 1024, 'NBDMAGICIHAVEOPT\0\u0003') },
  ],
]

for (const [name, code, message, script] of HANDSHAKES) {
  test(`openNbdImage() refuses ${name}`, async () => {
    using folder = temporaryFolder()
    await using server = await startScriptedNbd(folder, { sizeBytes: SIZE, ...script })
    await assert.rejects(openNbd(server.uri), { code, message })
  })
}

test('openNbdImage() can be given up while the server is silent', async () => {
  using folder = temporaryFolder()
  const giveUp = new AbortController()
  const script: NbdScript = {
    sizeBytes: SIZE,
    onOption: () => {
      setImmediate(() => giveUp.abort(new Error('enough')))
      return null
    },
  }
  await using server = await startScriptedNbd(folder, script)
  await assert.rejects(openNbd(server.uri, {}, giveUp.signal), /enough/)
})

test('readInto() on several connections refuses one that shows another export', async () => {
  using folder = temporaryFolder()
  const seen = { count: 0 }
  await using server = await startScriptedNbd(folder, {
    sizeBytes: SIZE,
    onOption: (option) => {
      if (option !== GO) return undefined
      seen.count += 1
      return [optionReply(GO, 3, exportInfo(seen.count * SIZE, 1 | (1 << 8))), acknowledged(GO)]
    },
    onRequest: ({ cookie, offset, length }) =>
      seen.count < 2 ? [] : [chunk({ cookie, type: OffsetData, payload: data(offset, length) })],
  })
  await using image = await openNbd(server.uri, { connectionsMax: 2 })
  const reads = Array.from({ length: 8 }, () => image.readInto(new Uint8Array(LENGTH), 0))
  Promise.allSettled(reads).catch(() => undefined)
  while (seen.count < 2) await new Promise((resolve) => setImmediate(resolve))
  const refused = async (): Promise<void> => {
    for (;;) await image.readInto(new Uint8Array(LENGTH), 0)
  }
  await assert.rejects(refused(), { code: ErrorCode.ProtocolWrong, message: /another export/ })
})
