// Runs in a guest: kills the command line at many moments under a write load, looks each time at what it left, and at what the
// next run makes of it. All but what is killed is done in this one process: to start others is what is slow here. See
// ../lvm-kill.ts.
import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import * as v from 'valibot'

import { decodeHeldTags } from '../../../src/capture/lvm/held-tags.ts'
import type { LvmVolume } from '../../../src/domain/logical-volume.ts'
import { mapperName } from '../../../src/linux/lvm/device-mapper-status.ts'
import { hostLvm } from '../../../src/linux/lvm/lvm-tools.ts'
import { openMapperCalls } from '../../../src/linux/lvm/mapper-calls.ts'
import { eventually } from '../../support/eventually.ts'
import { seededRandomness } from '../../support/seeded-randomness.ts'
import { BUILT_PROGRAM } from '../../../tools/build/built-program.ts'
import type { KillRounds, KillTally } from '../lvm-kill.ts'
import { assertRestores } from './assert-restores.ts'
import { icecoreInProcess } from './icecore-in-process.ts'

const LOAD = fileURLToPath(new URL('write-load.ts', import.meta.url))
// What these commands print, of which this is looked at.
const listSchema = v.object({ released: v.array(v.unknown()) })
const pointSchema = v.object({ pointId: v.string() })
const { signal } = new AbortController()

// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- ../lvm-kill.ts wrote it
const { killCount, seed, kinds, thin, load } = JSON.parse(process.argv[2] ?? '') as KillRounds
const chance = seededRandomness(seed)
const names = [...new Set(kinds.flat())]
const tally: KillTally = {
  killed: 0,
  whileSuspended: 0,
  released: 0,
  killMs: 0,
  listMs: 0,
  nextMs: 0,
  lookMs: 0,
}
using calls = openMapperCalls()

// Written in place from then on: a block that is given back keeps its bytes, and is not part of a backup.
for (const name of names) writeFileSync(`/mnt/${name}/probe`, 'x', { flush: true })
await must('init', '--no-encryption')
const writer = await startWriter()
const startedAt = performance.now()
await endOf(startRun(kinds[0] ?? []))
const durationMs = performance.now() - startedAt
for (let round = 0; tally.killed < killCount; round += 1) {
  // A run that ends before its moment comes counts for nothing.
  assert.ok(round < 4 * killCount, `${tally.killed} of ${round} runs were killed`)
  await killOnce(round)
}
writer.kill('SIGCONT')
writer.kill('SIGTERM')
assert.deepEqual(await once(writer, 'exit'), [0, null], 'the write load failed')
await must('check', '--data')
process.stdout.write(`${JSON.stringify(tally)}\n`)

async function startWriter(): Promise<ChildProcess> {
  const child = spawn(process.execPath, [LOAD, JSON.stringify(load)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await once(child.stdout, 'data')
  return child
}

async function must(...words: readonly string[]): Promise<void> {
  const { exitCode, text } = await icecoreInProcess(...words)
  assert.equal(exitCode, 0, text)
}

async function killOnce(round: number): Promise<void> {
  const own = kinds[round % kinds.length] ?? []
  // One of three is killed while a volume is suspended.
  const afterMs = round % 3 === 0 ? null : chance.below(Math.ceil(durationMs))
  const where = `round ${round}, ${own.join(' ')}, after ${afterMs ?? 'a volume was suspended'}`
  process.stdout.write(`${where}\n`)
  await timed('killMs', () => kill(own, afterMs))
  await assertNothingStandsStill(where)
  await timed('listMs', () => assertListed(where))
  await timed('nextMs', () => assertNextRun(own, where))
}

async function timed(
  what: 'killMs' | 'listMs' | 'nextMs' | 'lookMs',
  work: () => Promise<void>,
): Promise<void> {
  const from = performance.now()
  await work()
  tally[what] += Math.round(performance.now() - from)
}

async function kill(own: readonly string[], afterMs: number | null): Promise<void> {
  const child = startRun(own)
  const ended = endOf(child)
  if (afterMs !== null) await Promise.race([setTimeout(afterMs), ended])
  else
    while (child.exitCode === null && child.signalCode === null && !(await anySuspended(own)))
      await setTimeout(1)
  child.kill('SIGKILL')
  await ended
  if (child.signalCode !== 'SIGKILL') return
  tally.killed += 1
  if (afterMs === null) tally.whileSuspended += 1
}

function startRun(own: readonly string[]): ChildProcess {
  return spawn(process.execPath, [BUILT_PROGRAM, 'backup', ...own.map((name) => `/mnt/${name}`)], {
    stdio: 'ignore',
  })
}

async function endOf(child: ChildProcess): Promise<void> {
  await once(child, 'exit')
}

async function anySuspended(own: readonly string[]): Promise<boolean> {
  for (const name of own) if ((await calls?.isSuspended(mapperName('vg0', name))) === true) return true
  return false
}

/** The watchdog needs a moment. */
async function assertNothingStandsStill(where: string): Promise<void> {
  await eventually(
    async () => !(await anySuspended(names)),
    () => `${where}: nothing is suspended`,
  )
  for (const name of names) writeFileSync(`/mnt/${name}/probe`, 'x', { flag: 'r+', flush: true })
}

/** What a killed run held is released, and all that is left is the base of a point. */
async function assertListed(where: string): Promise<void> {
  const { exitCode, json, text } = await icecoreInProcess('images', 'list')
  assert.equal(exitCode, 0, `${where}\n${text}`)
  tally.released += v.parse(listSchema, json).released.length
  await readBases(`${where}\n${text}`)
}

type Base = { readonly volume: LvmVolume; readonly pointId: string; readonly lineageKey: string }

/** The snapshots that are there: bases, one of each volume and lineage but for what a killed run had just kept. */
async function readBases(where: string): Promise<readonly Base[]> {
  const volumes = await hostLvm.listVolumes(signal)
  return volumes
    .filter(({ name }) => name.startsWith('icecore-'))
    .map((volume) => {
      const tags = decodeHeldTags(volume.tags)
      assert.ok(tags?.use.kind === 'base', `${where}\nleft behind: ${JSON.stringify(volume)}`)
      return { volume, pointId: tags.use.pointId, lineageKey: tags.lineageKey }
    })
}

/** The next run finds its base, or says that it does not; it leaves exactly the bases of its point, with what it stored. */
async function assertNextRun(own: readonly string[], where: string): Promise<void> {
  const { exitCode, json, text } = await icecoreInProcess('backup', ...own.map((name) => `/mnt/${name}`))
  const said = `${where}\n${text}`
  assert.ok(exitCode === 0 || (exitCode === 3 && /BASE_IMAGE_LOST|MOMENTS_DIFFER/.test(text)), said)
  await assertNothingStandsStill(said)
  const { pointId } = v.parse(pointSchema, json)
  const bases = await readBases(said)
  const kept = bases.filter((base) => base.pointId === pointId)
  const ofThin = own.filter((name) => thin.includes(name))
  assert.equal(kept.length, ofThin.length, `${said}${JSON.stringify(bases)}`)
  const ofLineage = bases.filter(({ lineageKey }) => lineageKey === kept[0]?.lineageKey)
  assert.equal(ofLineage.length, ofThin.length, `${said}an older base is held: ${JSON.stringify(bases)}`)
  // Nothing writes to what is compared; the load only takes the processor.
  writer.kill('SIGSTOP')
  const volumes = await hostLvm.listVolumes(signal)
  await timed('lookMs', async () => {
    for (const name of ofThin) {
      const origin = volumes.find((volume) => volume.name === name)
      const base = kept.find(({ volume }) => volume.originUuid === origin?.uuid)
      assert.ok(base, `${said}no base of ${name}`)
      await assertRestores({ pointId, object: name, snapshot: base.volume }, said)
    }
  })
  writer.kill('SIGCONT')
}
