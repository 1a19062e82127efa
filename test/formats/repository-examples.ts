import { createHash } from 'node:crypto'

import type { RecoveryPoint } from '../../src/domain/recovery-point.ts'
import type { ChunkCodec } from '../../src/repository/chunk-codec.ts'
import { configBinding, encodeConfig } from '../../src/repository/config.ts'
import { encodeIndexSegment } from '../../src/repository/index-segment.ts'
import { createKeySlot, type Secret } from '../../src/repository/key-slot.ts'
import { deriveFileKey, deriveRepositoryKeys, type RepositoryKeys } from '../../src/repository/keys.ts'
import { Magic } from '../../src/repository/magic.ts'
import { EntryKind } from '../../src/repository/pack-format.ts'
import { PackBuilder, type FinishedPack } from '../../src/repository/pack-builder.ts'
import { encodePoint } from '../../src/repository/point-format.ts'
import { portableCodec } from '../../src/repository/portable-codec.ts'
import { formatRecoveryKey } from '../../src/repository/recovery-key.ts'
import { sealFile } from '../../src/repository/sealed-file.ts'
import { encodeTreeNode, TreeNode } from '../../src/repository/tree-node.ts'

/** Bytes that count up: easy to see in a dump. */
const counting = (first: number, count: number): Uint8Array =>
  Uint8Array.from({ length: count }, (_, index) => (first + index) % 256)

export const REPOSITORY_ID: string = counting(0x00, 16).toHex()
export const MASTER_KEY: Uint8Array = counting(0x20, 32)
export const RECOVERY_KEY: Uint8Array = counting(0x40, 32)
export const PASSWORD = 'correct horse battery staple'
const PACK_SALT = counting(0x80, 32)
const SEGMENT_SALT = counting(0xa0, 32)
const POINT_SALT = counting(0xc0, 32)
const CONDEMNED_SALT = counting(0xe0, 32)
const CREATED_AT = '2026-01-02T03:04:05.678Z'

/** The smallest chunk size: 16 KiB, each byte an "i". */
export const CHUNK: Uint8Array = new Uint8Array(16_384).fill(0x69)
/**
 * The chunk as a zstd frame (RFC 8878), by hand, so that no version of a compressor matters: magic; one segment, its
 * size in two bytes, less 256; a last block that repeats one byte 16,384 times.
 */
export const FRAME: Uint8Array = Uint8Array.fromHex('28b52ffd60003f03000269')

/** Every example of docs/formats/repository.md by the title of its section, as bytes. */
export async function repositoryExamples(): Promise<ReadonlyMap<string, Uint8Array>> {
  const keys = deriveRepositoryKeys(MASTER_KEY)
  const plain = objectsOf(null)
  const sealed = objectsOf(keys)
  return new Map([
    ['Example: keys', Buffer.from(await keyLines(keys))],
    ['Example: file header', plain.pack.bytes.subarray(0, 64)],
    ['Example: leaf', plain.leaf],
    ['Example: inner node', plain.inner],
    ['Example: pack, not encrypted', plain.pack.bytes],
    ['Example: pack, encrypted', sealed.pack.bytes],
    ['Example: index segment, not encrypted', plain.segment],
    ['Example: condemned packs, not encrypted', condemnedExample(plain.pack.id)],
    ['Example: recovery point, body', indented(encodePoint(pointOf(sealed.leafId)))],
    ['Example: recovery point, encrypted', sealed.point],
    ['Example: config', await configExample()],
    ['Example: recovery key', Buffer.from(`${formatRecoveryKey(RECOVERY_KEY)}\n`)],
  ])
}

type Objects = {
  readonly leaf: Uint8Array
  readonly leafId: string
  readonly inner: Uint8Array
  readonly pack: FinishedPack
  readonly segment: Uint8Array
  readonly point: Uint8Array
}

/** One chunk, one leaf that names it, one node above that, and the files that hold them. */
function objectsOf(keys: RepositoryKeys | null): Objects {
  const sealing = { repositoryId: REPOSITORY_ID, keys }
  const codec = codecOf(keys)
  const idOf = (bytes: Uint8Array): Uint8Array => {
    const id = new Uint8Array(32)
    codec.chunkId(bytes, id)
    return id
  }
  const chunk = { id: idOf(CHUNK), kind: EntryKind.Chunk, plaintext: CHUNK }
  const leaf = nodeOf({ level: 0, place: 9, child: chunk.id })
  const inner = nodeOf({ level: 1, place: 2, child: idOf(leaf) })
  const builder = new PackBuilder({ sealing, codec, compress: true, randomSalt: () => PACK_SALT })
  builder.begin(new Uint8Array(65_536))
  builder.add(chunk)
  builder.add({ id: idOf(leaf), kind: EntryKind.Node, plaintext: leaf })
  const pack = builder.finish()
  const body = encodeIndexSegment([{ packId: pack.id, directory: pack.directory }])
  const leafId = idOf(leaf).toHex()
  return {
    leaf,
    leafId,
    inner,
    pack,
    segment: sealFile(sealing, { magic: Magic.IndexSegment, salt: SEGMENT_SALT, body }),
    point: sealFile(sealing, {
      magic: Magic.RecoveryPoint,
      salt: POINT_SALT,
      body: encodePoint(pointOf(leafId)),
    }),
  }
}

function codecOf(keys: RepositoryKeys | null): ChunkCodec {
  return { ...portableCodec({ idKey: keys?.idKey ?? null, level: 1 }), compress: putFrame }
}

function putFrame(_plaintext: Uint8Array, target: Uint8Array): number {
  target.set(FRAME)
  return FRAME.byteLength
}

function nodeOf(about: { level: number; place: number; child: Uint8Array }): Uint8Array {
  const node = new TreeNode(about.level)
  node.set(about.place, { id: about.child, chunkCount: 1 })
  return encodeTreeNode(node)
}

/** A volume of 200,000 bytes: 13 chunks, of which the tenth is not zeros. */
function pointOf(leafId: string): RecoveryPoint {
  const way = { mode: 'full', transport: 'local' } as const
  return {
    lineage: 'web1',
    createdAt: CREATED_AT,
    tags: ['nightly'],
    objects: [
      {
        name: 'disk.img',
        kind: 'volume',
        sizeBytes: 200_000,
        root: { nodeId: leafId, chunkCount: 1 },
        source: { path: '/srv/disk.img', type: 'file', identity: null },
        ledger: {
          requestedMode: 'full',
          doneMode: 'full',
          allocatedBytes: 16_384,
          freeBytes: null,
          volumes: [],
          readBytes: 16_384,
          zeroBytes: 0,
          changedBytes: 16_384,
          newChunkCount: 1,
          reusedChunkCount: 0,
          listedBytes: null,
          witnesses: null,
          rotationNext: 0,
        },
      },
    ],
    ledger: {
      startedAt: '2026-01-02T03:04:05.000Z',
      durationMs: 678,
      icecoreVersion: '0.1.0',
      host: 'backup1',
      basePointId: null,
      requested: way,
      done: way,
      degraded: [],
      storedBytes: 4456,
      freeze: null,
    },
  }
}

/** The document shows JSON with line breaks; the program writes none. */
function indented(json: Uint8Array): Uint8Array {
  return Buffer.from(`${JSON.stringify(JSON.parse(Buffer.from(json).toString()), null, 2)}\n`)
}

function condemnedExample(packId: string): Uint8Array {
  const sealing = { repositoryId: REPOSITORY_ID, keys: null }
  const body = Uint8Array.fromHex(packId)
  return sealFile(sealing, { magic: Magic.Condemned, salt: CONDEMNED_SALT, body })
}

async function configExample(): Promise<Uint8Array> {
  const parameters = {
    format: 'icecore repository',
    version: 1,
    id: REPOSITORY_ID,
    createdAt: CREATED_AT,
    chunkSizeBytes: 16_384,
    packSizeBytes: 8_388_608,
    compression: { algorithm: 'zstd', level: 1 },
    encryption: 'aes-256-gcm',
  } as const
  const binding = configBinding(parameters)
  const secrets: [Secret, string][] = [
    [{ kind: 'password', password: PASSWORD }, 'password'],
    [{ kind: 'recovery', key: RECOVERY_KEY }, 'recovery key'],
  ]
  const keySlots = []
  let next = 0
  const randomBytes = (count: number): Uint8Array => counting((next += count), count)
  for (const [secret, label] of secrets) {
    const slot = { masterKey: MASTER_KEY, secret, label, createdAt: CREATED_AT, binding, randomBytes }
    keySlots.push(await createKeySlot(slot))
  }
  return encodeConfig({ ...parameters, keySlots })
}

/** What follows from the master key, and the ids and names in both kinds of repository. */
async function keyLines(keys: RepositoryKeys): Promise<string> {
  const plain = objectsOf(null)
  const sealed = objectsOf(keys)
  const plainId = createHash('sha256').update(CHUNK).digest('hex')
  const keyedId = new Uint8Array(32)
  codecOf(keys).chunkId(CHUNK, keyedId)
  const rows: [string, string][] = [
    ['master key', MASTER_KEY.toHex()],
    ['id key', keys.idKey.toHex()],
    ['seal key', keys.sealKey.toHex()],
    ['key of the pack', deriveFileKey(keys, PACK_SALT).toHex()],
    ['key of the point', deriveFileKey(keys, POINT_SALT).toHex()],
    ['id of the chunk, not encrypted', plainId],
    ['id of the chunk, encrypted', keyedId.toHex()],
    ['id of the leaf, not encrypted', plain.leafId],
    ['id of the leaf, encrypted', sealed.leafId],
    ['name of the pack, not encrypted', plain.pack.id],
    ['name of the pack, encrypted', sealed.pack.id],
  ]
  const width = Math.max(...rows.map(([name]) => name.length)) + 2
  return await Promise.resolve(rows.map(([name, value]) => `${name.padEnd(width)}${value}\n`).join(''))
}
