import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { HeldUse } from '../provider/held-image.ts'
import { decodeHeldTags, encodeHeldTags, mappingMarkOf, mappingMarkTag, OWN_TAG } from './held-tags.ts'

const LINEAGE = '00112233445566778899aabbccddeeff'
const SOURCE = 'T0lMzr-8bKq-uJhG-TkXC-2nDd-Wc0o-Zm1yqF'
const uses: readonly HeldUse[] = [
  { kind: 'run', leaseEndsAtMs: 1_767_323_045_000, owner: '0f1e.42.1234' },
  { kind: 'base', pointId: 'ab'.repeat(32) },
]

test('decodeHeldTags() gives what encodeHeldTags() was given, whatever other tags there are', () => {
  for (const use of uses) {
    const tags = encodeHeldTags({ lineageKey: LINEAGE, sourceUuid: SOURCE, use })
    assert.deepEqual(decodeHeldTags(['backup', ...tags]), { lineageKey: LINEAGE, sourceUuid: SOURCE, use })
    for (const tag of tags) assert.match(tag, /^[A-Za-z0-9_+./=!:&#-]+$/)
  }
})

test('decodeHeldTags() takes no volume for ours that misses a tag, has one twice, or an odd one', () => {
  for (const use of uses) {
    const tags = encodeHeldTags({ lineageKey: LINEAGE, sourceUuid: SOURCE, use })
    for (const tag of tags) assert.equal(decodeHeldTags(tags.filter((one) => one !== tag)), null, tag)
    for (const tag of tags.slice(1)) assert.equal(decodeHeldTags([...tags, `${tag}0`]), null, tag)
  }
  assert.equal(
    decodeHeldTags([OWN_TAG, `icecore_lineage=${LINEAGE}`, 'icecore_source=x', 'icecore_point=12']),
    null,
  )
  assert.equal(decodeHeldTags([]), null)
})

test('mappingMarkOf() gives what mappingMarkTag() was given, and nothing of two', () => {
  const tag = mappingMarkTag('17-00ab12cd')
  assert.match(tag, /^[A-Za-z0-9_+./=!:&#-]+$/)
  assert.equal(mappingMarkOf([OWN_TAG, tag]), '17-00ab12cd')
  assert.equal(mappingMarkOf([OWN_TAG]), null)
  assert.equal(mappingMarkOf([tag, mappingMarkTag('18-00ab12cd')]), null)
})
