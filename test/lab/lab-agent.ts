import assert from 'node:assert/strict'

import { eventually } from '../support/eventually.ts'
import type { GuestProcess } from './guest-process.ts'
import { icecoreOnHost, startIcecore } from './icecore-on-host.ts'
import type { SanScene } from './san-scene.ts'

const FOLDER = '/etc/icecore/agent'
/** In the share: the SHA-256 of the last classic snapshot, which nobody holds after the run. */
export const FROZEN_FILE = 'frozen-thick.sha256'

/** What the agent of the scene may do. */
function configuration(share: string): string {
  return `sources:
  - /dev/vg0/*
  - path: /dev/vg1/third
    restore: true
freezeDeadlineSeconds: 300
hooks:
  - source: /dev/vg0/thick
    beforeFreeze:
      - command: ['true']
    afterThaw:
      - command: [sh, -c, '${SUM_UP_SNAPSHOT} > ${share}/${FROZEN_FILE}']
        timeoutSeconds: 300
`
}

const SUM_UP_SNAPSHOT =
  'sha256sum /dev/vg0/$(lvs --noheadings --options lv_name --select origin=thick vg0 | tr -d " ")'

/** The agent on a scene's owner. */
export class LabAgent {
  readonly #scene: SanScene
  #process: GuestProcess | null = null

  constructor(scene: SanScene) {
    this.#scene = scene
  }

  /** Of the running agent and of all that it starts. */
  async processGroup(): Promise<number> {
    return await this.#running().processId()
  }

  async start(environment: Readonly<Record<string, string>> = {}): Promise<void> {
    const started = startIcecore(this.#scene.owner, ['agent', 'run'], environment)
    this.#process = started
    let end = ''
    void started.ended.then(
      ({ exitCode }) => (end = `it ended with ${exitCode}`),
      (error: unknown) => (end = String(error)),
    )
    const said = (): string => `${started.soFar('stdout')}${started.soFar('stderr')}${end}`
    await eventually(() => said().includes('Listening on') || end !== '', said)
    assert.equal(end, '', said())
  }

  /** Says what it may do. */
  async configure(): Promise<void> {
    const { owner, lab } = this.#scene
    const stdin = configuration(lab.share)
    await owner.output(['sh', '-c', `cat > ${FOLDER}/agent.yaml`], { stdin })
  }

  async kill(): Promise<void> {
    const killed = this.#running()
    killed.signal('SIGKILL')
    await killed.ended
    this.#process = null
  }

  /** The methods that it was called by, in the order of its audit log. */
  async calls(): Promise<readonly string[]> {
    const text = await this.#scene.owner.output(['cat', '/var/lib/icecore/audit.log'])
    return [...text.matchAll(/"method":"(\w+)"/g)].map(([, method = '']) => method)
  }

  /** Keeps who the agent is over the host's next start: what a lab host has on its own root is gone with it. */
  async save(): Promise<void> {
    const { owner, lab } = this.#scene
    await owner.output(['tar', '--create', '--file', `${lab.share}/etc-icecore.tar`, '/etc/icecore'])
    await owner.output(['sync'])
  }

  async bringBack(): Promise<void> {
    const { owner, lab } = this.#scene
    await owner.output(['tar', '--extract', '--directory', '/', '--file', `${lab.share}/etc-icecore.tar`])
  }

  #running(): GuestProcess {
    return this.#process ?? assert.fail('the agent does not run')
  }
}

/** Enrols the owner's agent with the mover, as an administrator does, and starts it. */
export async function enrolAgent(scene: SanScene): Promise<LabAgent> {
  const { owner, mover } = scene
  const invitation = startIcecore(mover, ['agent', 'invite', 'owner'])
  const said = (): string => invitation.soFar('stderr')
  const token = (): string | undefined => /^ {4}([\w-]{60,})$/m.exec(said())?.[1]
  await eventually(() => token() !== undefined, said)
  await owner.output(['sh', '-c', 'umask 077; cat > /run/token'], { stdin: `${token() ?? ''}\n` })
  const enrolled = await icecoreOnHost(owner, ['agent', 'enroll', 'mover', '--token-file', '/run/token'])
  assert.equal(enrolled.exitCode, 0, enrolled.stdout + enrolled.stderr)
  const invited = await invitation.ended
  assert.equal(invited.exitCode, 0, invited.stdout + invited.stderr)
  const agent = new LabAgent(scene)
  await agent.configure()
  await agent.start()
  return agent
}
