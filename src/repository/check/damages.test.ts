import assert from 'node:assert/strict'
import test from 'node:test'
import { Damages } from './damages.ts'
import { CheckCode } from './problem.ts'

test('Damages gives equal sets equal numbers and hurts every point once', () => {
  const damages = new Damages()
  const a = damages.of(CheckCode.PackDamaged, { packId: 'a', reason: 'flipped' })
  const b = damages.of(CheckCode.PackMissing, { packId: 'b', reason: 'gone' })
  assert.equal(damages.of(CheckCode.PackDamaged, { packId: 'a', reason: 'again' }), a)
  const both = damages.union(damages.lost(a), damages.needed(b))
  assert.equal(damages.union(damages.needed(b), damages.lost(a)), both)
  assert.equal(damages.union(both, 0), both)
  assert.equal(damages.union(0, both), both)
  assert.equal(damages.union(both, damages.lost(a)), both)
  damages.hurt(both, 'point')
  damages.hurt(both, 'point')
  damages.hurt(0, 'other')
  assert.deepEqual(
    [[...a.lostBy], [...a.neededBy], [...b.lostBy], [...b.neededBy]],
    [['point'], [], [], ['point']],
  )
})

test('Damages keeps what is beyond a thousand as one, and still names the points', () => {
  const damages = new Damages()
  for (let number = 0; number < 1500; number += 1) {
    const damage = damages.of(CheckCode.PackMissing, { packId: String(number), reason: 'gone' })
    damages.hurt(damages.lost(damage), `point ${number}`)
  }
  assert.equal(damages.all.length, 1001)
  assert.equal(damages.all.at(-1)?.lostBy.size, 500)
})
