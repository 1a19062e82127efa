import assert from 'node:assert/strict'
import { test } from 'node:test'

import * as fc from 'fast-check'

import { anyRangeList, membership, rangesOf } from '../extents/byte-model.ts'
import { partitionGaps } from './partition-gaps.ts'

test('partitionGaps() has every byte that no partition and no table covers', () => {
  fc.assert(
    fc.property(anyRangeList, anyRangeList, (ranges, metadataRanges) => {
      const partitions = ranges.map((range, index) => ({
        number: index + 1,
        range,
        typeId: '0x83',
        typeName: 'Linux',
        name: '',
        uuid: null,
        flags: [],
        overlaps: false,
      }))
      const table = {
        format: 'mbr' as const,
        sectorSizeBytes: 512,
        uuid: '',
        partitions,
        containers: [],
        metadataRanges,
        findings: [],
      }
      const covered = membership([[...ranges, ...metadataRanges]], 64)
      const expected = rangesOf(covered.map((isCovered) => !isCovered))
      assert.deepEqual(partitionGaps(table, { sizeBytes: 64 }), expected)
    }),
  )
})
