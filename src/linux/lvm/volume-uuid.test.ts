import assert from 'node:assert/strict'
import { test } from 'node:test'
import { groupOfMapperUuid, mapperUuid, parseMapperUuid, volumeIdAt } from './volume-uuid.ts'

const GROUP = 'q1W2e3R4t5Y6u7I8o9P0a1S2d3F4g5H6'
const VOLUME = 'T0lMzr8bKquJhGTkXC2nDdWc0oZm1yqF'

test('parseMapperUuid() gives the UUID of a volume as LVM writes it', () => {
  assert.deepEqual(parseMapperUuid(`LVM-${GROUP}${VOLUME}`), {
    groupUuid: 'q1W2e3-R4t5-Y6u7-I8o9-P0a1-S2d3-F4g5H6',
    uuid: 'T0lMzr-8bKq-uJhG-TkXC-2nDd-Wc0o-Zm1yqF',
  })
})

test('mapperUuid() gives the UUID of the device of a volume', () => {
  const volume = {
    groupUuid: 'q1W2e3-R4t5-Y6u7-I8o9-P0a1-S2d3-F4g5H6',
    uuid: 'T0lMzr-8bKq-uJhG-TkXC-2nDd-Wc0o-Zm1yqF',
  }
  assert.equal(mapperUuid(volume), `LVM-${GROUP}${VOLUME}`)
})

test('parseMapperUuid() gives null for parts of volumes and for what is none', () => {
  for (const uuid of [`LVM-${GROUP}${VOLUME}-tpool`, `LVM-${GROUP}${VOLUME}-cow`, `LVM-${GROUP}`, '']) {
    assert.equal(parseMapperUuid(uuid), null, uuid)
  }
  assert.equal(parseMapperUuid('CRYPT-LUKS2-abc-home'), null)
  assert.equal(parseMapperUuid('mpath-36001405'), null)
})

test('groupOfMapperUuid() gives the group of volumes and of their parts', () => {
  const group = 'q1W2e3-R4t5-Y6u7-I8o9-P0a1-S2d3-F4g5H6'
  for (const end of ['', '-tpool', '-cow'])
    assert.equal(groupOfMapperUuid(`LVM-${GROUP}${VOLUME}${end}`), group)
  for (const uuid of ['', 'LVM-', `LVM-${GROUP.slice(1)}`, `CRYPT-${GROUP}${VOLUME}`])
    assert.equal(groupOfMapperUuid(uuid), null, uuid)
})

test('volumeIdAt() gives null for what is no volume, and for what is not there', async () => {
  assert.equal(await volumeIdAt('/etc/hostname'), null)
  assert.equal(await volumeIdAt('/nowhere'), null)
  assert.equal(await volumeIdAt('/dev/null'), null)
})
