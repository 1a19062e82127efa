import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'

import { contextAfter, encodeEntry, NO_CONTEXT } from './encode-entry.ts'
import { itemOf, type AttributesPlace, type EntryNode, type FileSetEntry } from './entry.ts'
import { EntryParser } from './parse-entry.ts'

const CHUNK = 64 * 1024
const whole = (max: number): fc.Arbitrary<number> => fc.integer({ min: 0, max })
const time = fc.record(
  {
    seconds: fc.oneof(
      fc.integer({ min: -(2 ** 52), max: 2 ** 52 }),
      fc.integer({ min: 1_700_000_000, max: 1_700_000_900 }),
    ),
    nanoseconds: whole(999_999_999),
  },
  { noNullPrototype: true },
)
const path = fc.uint8Array({ maxLength: 30 })
const item = whole(5 * CHUNK).map((size) => ({ size: size + 1 }))
const node: fc.Arbitrary<EntryNode> = fc
  .record({
    number: whole(Number.MAX_SAFE_INTEGER),
    generation: whole(2 ** 32 - 1),
    mode: whole(0o7777),
    userId: whole(2 ** 32 - 1),
    groupId: whole(2 ** 32 - 1),
    linkCount: fc.oneof(fc.constant(1), whole(70_000)),
    accessed: time,
    modified: time,
    changed: time,
    born: fc.option(time),
    target: path,
    device: fc.record({ major: whole(4095), minor: whole(2 ** 20) }),
    kind: fc.constantFrom(
      'file',
      'directory',
      'symlink',
      'block-device',
      'character-device',
      'fifo',
      'socket',
    ),
    stored: fc.option(
      fc.record({ inline: fc.option(path), checksum: whole(2 ** 32 - 1), item, begins: fc.boolean() }),
    ),
    content: fc.option(item),
    begins: fc.boolean(),
  })
  .map(({ stored, content, begins, target, device, ...about }): EntryNode => {
    const isFile = about.kind === 'file'
    const isLink = about.kind === 'symlink'
    const contentBytes = isFile ? (content?.size ?? 0) : 0
    return {
      ...about,
      generation: about.born === null ? about.generation : 0,
      target: isLink ? target : new Uint8Array(0),
      device: about.kind.endsWith('device') ? device : null,
      sizeBytes: isLink ? target.byteLength : contentBytes,
      content: contentBytes > 0 ? itemOf(contentBytes, { beginsChunk: begins, chunkSizeBytes: CHUNK }) : null,
      attributes: stored === null ? { kind: 'none' } : placeOf(stored),
      ranges: isFile && stored?.inline === null ? placeOf(stored) : { kind: 'whole' },
    }
  })

function placeOf(stored: {
  readonly inline: Uint8Array | null
  readonly checksum: number
  readonly item: { readonly size: number }
  readonly begins: boolean
}): Exclude<AttributesPlace, { kind: 'none' }> {
  const {
    inline,
    checksum,
    item: { size },
    begins: beginsChunk,
  } = stored
  if (inline !== null) return { kind: 'inline', bytes: inline }
  return { kind: 'stored', blob: { ...itemOf(size, { beginsChunk, chunkSizeBytes: CHUNK }), checksum } }
}

const entry: fc.Arbitrary<FileSetEntry> = fc.record({
  parent: fc.oneof(fc.constant(Buffer.from('a/path')), path).map((bytes) => Uint8Array.from(bytes)),
  name: path,
  file: fc.oneof(
    { weight: 8, arbitrary: node },
    fc.record({ kind: fc.constant('hard-link' as const), parent: path, name: path }),
  ),
})

test('EntryParser reads what encodeEntry() wrote', () => {
  fc.assert(
    fc.property(fc.array(entry, { maxLength: 20 }), (entries) => {
      let context = NO_CONTEXT
      const pieces = entries.map((one) => {
        const bytes = encodeEntry(one, context)
        context = contextAfter(one, context)
        return bytes
      })
      const bytes = Uint8Array.from(Buffer.concat(pieces))
      const parser = new EntryParser(bytes, { context: NO_CONTEXT, chunkSizeBytes: CHUNK })
      for (const one of entries) assert.deepEqual(plain(parser.next()), plain(one))
      assert.equal(parser.position, bytes.byteLength)
    }),
  )
})

test('EntryParser throws SyntaxError for bytes that are no entry', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
      const parser = new EntryParser(bytes, { context: NO_CONTEXT, chunkSizeBytes: CHUNK })
      try {
        while (parser.position < bytes.byteLength) parser.next()
      } catch (error) {
        assert.ok(error instanceof SyntaxError, String(error))
      }
    }),
    { numRuns: 2000 },
  )
})

/** A generated record has no prototype. */
function plain(value: FileSetEntry): unknown {
  return structuredClone(value)
}
