import type { LvmVolume } from '../../domain/logical-volume.ts'
import type { ReportRow } from './lvm-report.ts'

/** What is asked of each logical volume (lvs(8), "lvs -o help"). */
export const VOLUME_FIELDS = [
  'lv_uuid',
  'lv_name',
  'vg_name',
  'vg_uuid',
  'lv_size',
  'lv_attr',
  'segtype',
  'pool_lv',
  'thin_id',
  'origin_uuid',
  'lv_tags',
  'lv_time',
  'seg_start',
]

/** A row of such a report. Null for parts that others are made of, and for all but the first segment of a volume. */
export function parseVolume(row: ReportRow): LvmVolume | null {
  const name = textOf(row, 'lv_name')
  // Names of parts stand in brackets.
  if (name === '' || name.startsWith('[') || textOf(row, 'seg_start') !== '0') return null
  const attributes = textOf(row, 'lv_attr')
  return {
    uuid: textOf(row, 'lv_uuid'),
    name,
    groupName: textOf(row, 'vg_name'),
    groupUuid: textOf(row, 'vg_uuid'),
    sizeBytes: Number(textOf(row, 'lv_size')),
    segmentType: textOf(row, 'segtype'),
    isClassicSnapshot: /^s/i.test(attributes),
    isActive: attributes[4] === 'a' || attributes[4] === 's',
    poolName: textOf(row, 'pool_lv') || null,
    thinId: textOf(row, 'thin_id') === '' ? null : Number(textOf(row, 'thin_id')),
    originUuid: textOf(row, 'origin_uuid') || null,
    tags: textOf(row, 'lv_tags')
      .split(',')
      .filter((tag) => tag !== ''),
    createdAtMs: Number(textOf(row, 'lv_time')) * 1000,
  }
}

function textOf(row: ReportRow, field: string): string {
  return row[field] ?? ''
}
