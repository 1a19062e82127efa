import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseAgentConfiguration } from './agent-configuration.ts'

const PLACE = { path: '/etc/icecore/agent/agent.yaml', folder: '/etc/icecore/agent' }

test('parseAgentConfiguration() reads what may be done, with defaults', async () => {
  const found = await parseAgentConfiguration(
    `sources:
  - /dev/vg0/*
  - path: /dev/vg0/spare
    restore: true
hooks:
  - source: /dev/vg0/db
    beforeFreeze: [{ command: [hooks/quiesce, db] }]
limits: { groups: 2 }
`,
    PLACE,
  )
  assert.deepEqual(found.sources, [
    { pattern: '/dev/vg0/*', mayRestore: false },
    { pattern: '/dev/vg0/spare', mayRestore: true },
  ])
  assert.deepEqual(found.listen, { host: '0.0.0.0', port: 8770 })
  assert.deepEqual(found.limits, { groups: 2, leaseSeconds: 3600, streams: 64 })
  assert.deepEqual(found.hookSets[0]?.beforeFreeze[0]?.command, ['/etc/icecore/agent/hooks/quiesce', 'db'])
  assert.equal(found.freezeDeadlineMs, 10_000)
})

async function listenOf(text: string): Promise<unknown> {
  return (await parseAgentConfiguration(`sources: [/a]\nlisten: "${text}"\n`, PLACE)).listen
}

test('parseAgentConfiguration() reads addresses', async () => {
  assert.deepEqual(await listenOf('db1'), { host: 'db1', port: 8770 })
  assert.deepEqual(await listenOf('192.0.2.7:99'), { host: '192.0.2.7', port: 99 })
  assert.deepEqual(await listenOf('[::1]:99'), { host: '::1', port: 99 })
})

test('parseAgentConfiguration() says which key is wrong', async () => {
  const cases: readonly (readonly [string, RegExp])[] = [
    ['', /key "sources"/],
    ['- a', /expected keys and values/],
    ['sources: []', /key "sources"/],
    ['sources: [relative]', /key "sources\.0"/],
    ['sources: [/a/../b]', /key "sources\.0"/],
    ['sources: [/a/**]', /key "sources\.0"/],
    ['sources: [/a/]', /key "sources\.0"/],
    ['sources: [{ path: /a, write: true }]', /key "sources\.0/],
    ['sources: [/a]\nsurces: [/b]', /key "surces" is unknown/],
    ['sources: [/a]\nlisten: ":::"', /key "listen"/],
    ['sources: [/a]\nlisten: "a:70000"', /key "listen"/],
    ['sources: [/a]\nlimits: { groups: 0 }', /key "limits\.groups"/],
    ['sources: [/a]\nlimits: { leases: 1 }', /key "limits\.leases" is unknown/],
    ['sources: [/a\n', /agent\.yaml": /],
  ]
  for (const [text, message] of cases) {
    await assert.rejects(parseAgentConfiguration(text, PLACE), { code: 'USAGE_WRONG', message }, text)
  }
})
