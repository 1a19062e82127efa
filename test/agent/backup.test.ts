import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { test } from 'node:test'
import { needsCloning } from '../support/cloning-file-system.ts'
import type { IcecoreResult } from '../support/run-icecore.ts'
import { startAgent, startEnrolledAgent } from '../support/running-agent.ts'
import { assertRestores, backUp, backUpSlowly, icecore, openAgentScene, write } from './agent-scene.ts'

type Report = {
  readonly done: { readonly mode: string; readonly transport: string }
  readonly requested: { readonly transport: string }
  readonly degraded: readonly { readonly code: string }[]
  readonly objects: readonly { readonly image: { readonly agentHost: string } }[]
  readonly pace: { readonly waitedMs: number } | null
}

function reportOf({ json, stderr }: IcecoreResult): Report {
  assert.ok(json !== undefined, stderr)
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the contract of `backup --json`
  return json as Report
}

test(
  'backup --agent stores what the agent froze and sends, and then only what changed',
  { skip: needsCloning('xfs') },
  async () => {
    using scene = await openAgentScene()
    await using agent = await startAgent(scene.folder.join('agent'), [scene.disk])
    const full = await backUp(scene, agent, '--transport', 'lan')
    assert.equal(full.exitCode, 0, full.stderr)
    assert.deepEqual(reportOf(full).done, { mode: 'full', transport: 'lan' })
    assert.equal(reportOf(full).objects[0]?.image.agentHost, '127.0.0.1')
    await assertRestores(scene)

    write(scene, 3)
    const next = await backUp(scene, agent, '--transport', 'lan', '--limit-rate', '64MiB/s')
    assert.deepEqual([next.exitCode, reportOf(next).done.mode], [0, 'incremental'], next.stderr)
    assert.ok(reportOf(next).pace !== null)
    await assertRestores(scene)

    const fallen = await backUp(scene, agent)
    assert.equal(fallen.exitCode, 3, fallen.stderr)
    const { requested, done, degraded } = reportOf(fallen)
    assert.deepEqual([requested.transport, done.transport], ['san', 'lan'])
    assert.deepEqual(
      degraded.map(({ code }) => code),
      ['TRANSPORT_FALLBACK'],
    )
    const refused = await backUp(scene, agent, '--transport', 'san')
    assert.equal(refused.exitCode, 4)
    assert.match(refused.stdout, /knows no disk below it/)
  },
)

test(
  'backup --agent refuses what the agent does not allow, and an agent that is not there',
  { skip: needsCloning('xfs') },
  async () => {
    using scene = await openAgentScene()
    await using agent = await startAgent(scene.folder.join('agent'), [`${scene.files.path}/other.img`])
    const forbidden = await backUp(scene, agent, '--transport', 'lan')
    assert.equal(forbidden.exitCode, 7)
    assert.match(forbidden.stdout, /AGENT_REFUSED/)
    await agent[Symbol.asyncDispose]()
    const gone = await backUp(scene, agent)
    assert.equal(gone.exitCode, 7)
    assert.match(gone.stdout, /CONNECTION_FAILED/)
  },
)

test(
  'backup --agent ends with one sentence when the agent is killed, and the next run works',
  { skip: needsCloning('xfs') },
  async () => {
    using scene = await openAgentScene()
    const place = scene.folder.join('agent')
    const agent = await startAgent(place, [scene.disk])
    const killed = await backUpSlowly(scene, agent, () => agent.child.kill('SIGKILL'))
    if (agent.child.signalCode === null) await once(agent.child, 'close')
    assert.equal(killed.exitCode, 7, killed.stderr)
    assert.match(killed.stderr, /^icecore: Cannot .*127\.0\.0\.1:\d+/m)
    await icecore(['check', '--data', '-r', scene.repository])

    await using again = await startEnrolledAgent(place, [scene.disk])
    const next = await backUp(scene, again, '--transport', 'lan')
    assert.equal(next.exitCode, 0, next.stderr)
    await assertRestores(scene)
    // What the killed agent held is released by the next one.
    const kept = readdirSync(scene.files.path, { recursive: true }).filter((name) =>
      String(name).includes('icecore'),
    )
    assert.ok(kept.length <= 2, kept.join(' '))
  },
)
