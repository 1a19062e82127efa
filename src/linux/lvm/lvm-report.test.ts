import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ErrorCode, isBackupError } from '../../domain/backup-error.ts'
import { parseReport } from './lvm-report.ts'
import { parseVolume } from './parse-volume.ts'

/** As `lvs --reportformat json` of LVM 2.03 prints it. */
const REPORT = JSON.stringify({
  report: [
    {
      lv: [
        {
          lv_uuid: 'MIrfIN-e6Em-3XtM-kNCl-bA1y-18PM-z5fqkG',
          lv_name: 'home',
          vg_name: 'vg0',
          vg_uuid: 'cAZTHY-WSRj-lYZ7-mRRk-LjSy-UEoz-OQPYwH',
          lv_size: '67108864',
          lv_attr: 'Vwi-aotz--',
          segtype: 'thin',
          pool_lv: 'pool',
          thin_id: '1',
          origin_uuid: '',
          lv_tags: 'a,icecore',
          lv_time: '1795391397',
          seg_start: '0',
        },
        { lv_name: '[pool_tdata]', seg_start: '0' },
        { lv_name: 'home', seg_start: '4194304' },
      ],
    },
  ],
})

test('parseReport() gives rows of which parseVolume() makes volumes', () => {
  const volumes = parseReport(REPORT, 'lv').flatMap((row) => parseVolume(row) ?? [])
  assert.deepEqual(volumes, [
    {
      uuid: 'MIrfIN-e6Em-3XtM-kNCl-bA1y-18PM-z5fqkG',
      name: 'home',
      groupName: 'vg0',
      groupUuid: 'cAZTHY-WSRj-lYZ7-mRRk-LjSy-UEoz-OQPYwH',
      sizeBytes: 67_108_864,
      segmentType: 'thin',
      isClassicSnapshot: false,
      isActive: true,
      poolName: 'pool',
      thinId: 1,
      originUuid: null,
      tags: ['a', 'icecore'],
      createdAtMs: 1_795_391_397_000,
    },
  ])
})

test('parseReport() refuses what is no report', () => {
  for (const text of ['', '{}', '{"report": 1}', '{"report": [{"lv": [{"lv_name": 1}]}]}', 'WARNING']) {
    assert.throws(
      () => parseReport(text, 'lv'),
      (error) => isBackupError(error, ErrorCode.SourceUnreadable),
      text,
    )
  }
})

test('parseVolume() knows a classic snapshot, and one that is not active', () => {
  const row = { lv_name: 's', seg_start: '0', segtype: 'linear', lv_attr: 'swi-a-s---' }
  assert.equal(parseVolume(row)?.isClassicSnapshot, true)
  assert.equal(parseVolume({ ...row, lv_attr: 'Vwi---tz-k' })?.isActive, false)
})
