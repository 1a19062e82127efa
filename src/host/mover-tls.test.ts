import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { test } from 'node:test'
import { seededRandomness } from '../../test/support/seeded-randomness.ts'
import { clockAt } from '../../test/support/shifted-clock.ts'
import { temporaryFolder } from '../../test/support/temporary-folder.ts'
import { SharedTls } from '../rpc/shared-tls.ts'
import type { TlsMaterial } from '../rpc/tls-material.ts'
import { openAuthority } from './authority-folder.ts'
import { MoverTls } from './mover-tls.ts'

function endOf({ certificate }: TlsMaterial): number {
  return new X509Certificate(certificate).validToDate.getTime()
}

test('MoverTls has a certificate that is good for hours, for as long as a run takes', async () => {
  using folder = temporaryFolder()
  let days = 0
  const clock = { now: () => clockAt(days).now() }
  const authority = await openAuthority(folder.join('authority'), { clock, randomness: seededRandomness(7) })
  using tls = await MoverTls.make(authority, clock)
  const first = await tls.fresh()
  days = 0.6
  assert.equal(await tls.fresh(), first)
  // A thread of its own sees what the others see.
  const thread = new SharedTls(tls.shared.memory)
  assert.deepEqual(thread.take(), first)
  for (days of [0.7, 1.5, 40]) {
    const fresh = await tls.fresh()
    assert.ok(endOf(fresh) - clock.now().getTime() > 20 * 3_600_000, `after ${days} days`)
    assert.deepEqual(thread.take(), fresh)
  }
})

test('MoverTls goes on with what it has when it can make no other, as long as that is good', async () => {
  using folder = temporaryFolder()
  let days = 0
  const clock = { now: () => clockAt(days).now() }
  const authority = await openAuthority(folder.join('authority'), { clock, randomness: seededRandomness(8) })
  const made = [await authority.moverTls()]
  const moverTls = async (): Promise<TlsMaterial> =>
    await Promise.resolve(made.shift() ?? Promise.reject(new Error('the disk is gone')))
  using tls = await MoverTls.make({ moverTls }, clock)
  days = 0.9
  assert.ok(endOf(await tls.fresh()) > clock.now().getTime())
  days = 1.1
  await assert.rejects(tls.fresh(), { message: 'the disk is gone' })
})
