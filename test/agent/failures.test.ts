import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { test } from 'node:test'
import { testAuthority } from '../support/authority.ts'
import { needsCloning } from '../support/cloning-file-system.ts'
import { startAgent, startEnrolledAgent } from '../support/running-agent.ts'
import {
  assertRestores,
  backUp,
  backUpSlowly,
  icecore,
  openAgentScene,
  type AgentScene,
} from './agent-scene.ts'

const skip = needsCloning('xfs')

/** What an agent holds beside the disk. */
function clones({ files }: AgentScene): readonly string[] {
  return readdirSync(files.path, { recursive: true })
    .map(String)
    .filter((name) => /icecore.+/.test(name))
}

test(
  'backup --agent after the mover was killed waits for its lease, or for the agent to start again',
  { skip },
  async () => {
    using scene = await openAgentScene()
    const place = scene.folder.join('agent')
    const agent = await startAgent(place, [scene.disk])
    const killed = await backUpSlowly(scene, agent, (child) => child.kill('SIGKILL'))
    assert.equal(killed.exitCode, null, killed.stderr)
    const early = await backUp(scene, agent, '--transport', 'lan')
    assert.equal(early.exitCode, 7, early.stderr)
    assert.match(early.stdout, /another run holds a frozen image of .* s left of its lease/)
    const points = await icecore(['points', '-r', scene.repository, '--json'])
    assert.deepEqual(points.json, [])
    await icecore(['check', '--data', '-r', scene.repository])
    const held = clones(scene)
    assert.ok(held.length > 0)
    agent.child.kill('SIGKILL')
    await agent[Symbol.asyncDispose]()

    await using again = await startEnrolledAgent(place, [scene.disk])
    const next = await backUp(scene, again, '--transport', 'lan')
    assert.equal(next.exitCode, 0, next.stderr)
    await assertRestores(scene)
    for (const name of clones(scene)) assert.ok(!held.includes(name), name)
  },
)

test('backup --agent is refused by an agent of another repository, and refuses it', { skip }, async () => {
  using scene = await openAgentScene()
  await using agent = await startAgent(scene.folder.join('agent'), [scene.disk])
  const stranger = scene.folder.join('stranger')
  await testAuthority(stranger)
  const refused = await backUp(scene, agent, '--transport', 'lan', '--authority', stranger)
  assert.equal(refused.exitCode, 7, refused.stderr)
  assert.match(refused.stdout, /CONNECTION_FAILED/)
  assert.match(refused.stdout, /signed by another authority/)
  assert.deepEqual(clones(scene), [])
  const right = await backUp(scene, agent, '--transport', 'lan')
  assert.equal(right.exitCode, 0, right.stderr)
})
