import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { zstdDecompressSync } from 'node:zlib'

import { Magic } from '../../src/repository/magic.ts'
import { hexDump } from './hex-dump.ts'
import { CHUNK, FRAME, repositoryExamples } from './repository-examples.ts'

const DOCUMENT = new URL('../../docs/formats/repository.md', import.meta.url)

/** The first code block of every section, by the section's title. */
function codeBlocks(): ReadonlyMap<string, string> {
  const sections = readFileSync(DOCUMENT, 'utf8')
    .split(/^#{2,4} /m)
    .slice(1)
  const blocks = new Map<string, string>()
  for (const section of sections) {
    const block = /^```[a-z]*\n([\s\S]*?)^```$/m.exec(section)
    if (block?.[1] !== undefined) blocks.set(section.slice(0, section.indexOf('\n')), block[1])
  }
  return blocks
}

const isText = (bytes: Uint8Array): boolean =>
  bytes.at(-1) === 0x0a && bytes.every((byte) => byte === 0x0a || (byte >= 0x20 && byte < 0x7f))

for (const [title, bytes] of await repositoryExamples()) {
  test(`docs/formats/repository.md shows what the program writes: ${title}`, () => {
    const shown = codeBlocks().get(title)
    assert.equal(shown, isText(bytes) ? Buffer.from(bytes).toString() : hexDump(bytes))
  })
}

test('docs/formats/repository.md has no example that nothing compares', async () => {
  const compared = await repositoryExamples()
  const titles = [...codeBlocks().keys()].filter((title) => title.startsWith('Example'))
  assert.deepEqual(titles.toSorted(), [...compared.keys()].toSorted())
})

test('docs/formats/repository.md names every magic and the words that it comes from', () => {
  const rows = readFileSync(DOCUMENT, 'utf8').matchAll(/^\| `((?:[0-9a-f]{2} ?){8})` +\| `([^`]+)`/gm)
  const found = new Map([...rows].map(([, hex = '', words = '']) => [hex.replaceAll(' ', ''), words]))
  for (const magic of Object.values(Magic)) {
    if (magic === Magic.LocalIndexRun || magic === Magic.LeftOutRanges) continue // Caches have documents of their own.
    const words = found.get(magic) ?? ''
    assert.equal(createHash('sha256').update(words).digest('hex').slice(0, 16), magic, words)
  }
})

test('the documents of caches name their magic and the words that it comes from', () => {
  const caches = [
    [Magic.LocalIndexRun, 'local-index.md'],
    [Magic.LeftOutRanges, 'left-out.md'],
  ] as const
  for (const [magic, name] of caches) {
    const text = readFileSync(new URL(name, DOCUMENT), 'utf8')
    const [, hex = '', words = ''] = /magic `([0-9a-f ]{23})` \([^)]*SHA-256\("([^"]+)"\)/.exec(text) ?? []
    assert.equal(hex.replaceAll(' ', ''), magic, name)
    assert.equal(createHash('sha256').update(words).digest('hex').slice(0, 16), magic, words)
  }
})

test('the frame of the examples decompresses to their chunk', () => {
  assert.deepEqual(new Uint8Array(zstdDecompressSync(FRAME)), CHUNK)
})
