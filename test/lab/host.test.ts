import assert from 'node:assert/strict'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'

import { openLab } from './lab.ts'
import { needsLab } from './needs-lab.ts'
import { startHost } from './start-host.ts'

test('startHost() boots a host that runs commands, and powers off', { skip: needsLab() }, async () => {
  await using lab = openLab()
  const host = await startHost(lab, { name: 'a' })

  const node = await host.run([process.execPath, '-e', 'console.log(6 * 7); process.exitCode = 3'])
  assert.deepEqual({ exitCode: node.exitCode, stdout: node.stdout }, { exitCode: 3, stdout: '42\n' })
  assert.match(await host.output(['uname', '--release']), new RegExp(`^${lab.kernel.release}\\n`))

  const text = 'x'.repeat(1024 * 1024)
  assert.equal(await host.output(['cat'], { stdin: text }), text)

  writeFileSync(`${lab.share}/from-here`, 'here')
  await host.output(['sh', '-c', `cat ${lab.share}/from-here > ${lab.share}/from-there && sync`])
  assert.equal(readFileSync(`${lab.share}/from-there`, 'utf8'), 'here')

  await host.powerOff()
  await assert.rejects(host.run(['true']), /Lab host "a" is off/)
})

test('a host may read this machine and change nothing of it', { skip: needsLab() }, async () => {
  await using lab = openLab()
  await using host = await startHost(lab, { name: 'a' })
  const { exitCode } = await host.run([
    'sh',
    '-c',
    'mkdir /host && mount -t hostfs -o / none /host && touch /host/root/x /host/x',
  ])
  assert.notEqual(exitCode, 0)
  await host.output(['touch', '/written-in-the-guest'])
  assert.equal(existsSync('/written-in-the-guest'), false)
  assert.equal(existsSync('/x'), false)
})

test('run() ends a command at its deadline and says what it had printed', { skip: needsLab() }, async () => {
  await using lab = openLab()
  await using host = await startHost(lab, { name: 'a' })
  const late = host.run(['sh', '-c', 'echo began; exec sleep 1000'], { timeoutSeconds: 3 })
  await assert.rejects(late, /on a: not done after 3 s\nbegan/)
  await assert.rejects(host.output(['sh', '-c', 'echo why >&2; exit 2']), /on a: exit code 2\nwhy/)
  await assert.rejects(host.run(['/nowhere/program']), /Cannot run "\/nowhere\/program": spawn .*ENOENT/)
  assert.equal(await host.output(['echo', 'still there']), 'still there\n')
})
