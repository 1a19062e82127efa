import assert from 'node:assert/strict'
import { test } from 'node:test'

import { openLab } from './lab.ts'
import { needsLab } from './needs-lab.ts'
import { startHost } from './start-host.ts'

const LISTEN = `
require('node:net').createServer((socket) => {
  socket.pipe(process.stdout)
  socket.on('end', () => process.exit())
}).listen(9000, () => process.stdout.write('listening '))`

const SEND = `
require('node:net').connect(9000, '10.77.0.2').end('hello from a')`

test('two hosts of a lab talk over its network', { skip: needsLab() }, async () => {
  await using lab = openLab()
  const [a, b] = await Promise.all([
    startHost(lab, { name: 'a', address: '10.77.0.1' }),
    startHost(lab, { name: 'b', address: '10.77.0.2' }),
  ])
  const listener = b.start([process.execPath, '-e', LISTEN])
  await listener.untilStdout('listening')
  await a.output([process.execPath, '-e', SEND])
  assert.equal((await listener.ended).stdout, 'listening hello from a')
})
