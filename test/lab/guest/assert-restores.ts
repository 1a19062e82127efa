// Runs in a guest: compares what a point says of a thin volume with the snapshot that it was read from.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readFileSync, rmSync } from 'node:fs'
import { promisify } from 'node:util'

import type { LvmVolume } from '../../../src/domain/logical-volume.ts'
import { mapperName } from '../../../src/linux/lvm/device-mapper-status.ts'
import { openLocalSource } from '../../../src/linux/local-source.ts'
import { readBytes } from '../../support/image-bytes.ts'
import { icecoreInProcess } from './icecore-in-process.ts'

const RESTORED = '/tmp/restored'
const DEVICE = 'compared'
const SECTOR_BYTES = 512
const run = promisify(execFile)

export async function assertRestores(
  what: { readonly pointId: string; readonly object: string; readonly snapshot: LvmVolume },
  where: string,
): Promise<void> {
  const { pointId, object, snapshot } = what
  const { exitCode, text } = await icecoreInProcess('restore', pointId, '--object', object, '--to', RESTORED)
  assert.equal(exitCode, 0, `${where}\n${text}`)
  const restored = readFileSync(RESTORED)
  rmSync(RESTORED)
  const expected = await bytesOf(snapshot)
  if (restored.equals(expected)) return
  const at = restored.findIndex((byte, index) => byte !== expected[index])
  const [found, held] = [restored, expected].map((bytes) => bytes.toString('hex', at, at + 32))
  assert.fail(
    `${where}\n${object} is not what its base holds: at byte ${at} it has ${found}, the base ${held}`,
  )
}

/** As the pool itself shows it; LVM takes many times as long to do so. */
async function bytesOf({ groupName, poolName, thinId, sizeBytes }: LvmVolume): Promise<Buffer> {
  const pool = `/dev/mapper/${mapperName(groupName, poolName ?? '')}-tpool`
  const table = `0 ${sizeBytes / SECTOR_BYTES} thin ${pool} ${thinId}`
  await run('dmsetup', ['create', DEVICE, '--readonly', '--table', table])
  try {
    await using source = await openLocalSource(`/dev/mapper/${DEVICE}`)
    return await readBytes(source.image())
  } finally {
    await run('dmsetup', ['remove', DEVICE])
  }
}
