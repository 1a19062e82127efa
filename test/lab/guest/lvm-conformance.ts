// Runs in a guest: the conformance suite of a provider, on volumes that are there. See ../lvm-conformance.ts.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { test } from 'node:test'
import { promisify } from 'node:util'

import { lvmProvider } from '../../../src/capture/lvm/classic-provider.ts'
import { LiveGroups } from '../../../src/capture/lvm/live-groups.ts'
import { lvmThinProvider } from '../../../src/capture/lvm/thin-provider.ts'
import type { HeldImage } from '../../../src/capture/provider/held-image.ts'
import { providerConformance, type ProviderCase } from '../../../src/capture/provider/provider-conformance.ts'
import { systemRandomness } from '../../../src/cli/system-randomness.ts'
import { ErrorCode } from '../../../src/domain/backup-error.ts'
import { systemClock } from '../../../src/domain/clock.ts'
import type { LvmVolume } from '../../../src/domain/logical-volume.ts'
import { openLocalSource } from '../../../src/linux/local-source.ts'
import { askMapper } from '../../../src/linux/lvm/ask-mapper.ts'
import { mapperName } from '../../../src/linux/lvm/device-mapper-status.ts'
import { hostLvm } from '../../../src/linux/lvm/lvm-tools.ts'
import { readBytes } from '../../support/image-bytes.ts'
import type { LvmConformanceOptions } from '../lvm-conformance.ts'

const run = promisify(execFile)
const { signal } = new AbortController()

// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- ../lvm-conformance.ts wrote it
const options = JSON.parse(process.argv[2] ?? '') as LvmConformanceOptions
const { provider, group, volumes, unsuitable, roundCount } = options
const isThin = provider === 'lvm-thin'
const parts = { tools: hostLvm, randomness: systemRandomness, clock: systemClock }

providerConformance(provider, openCase, { skip: false, roundCount })

test('device-mapper itself tells of every device what dmsetup prints', async () => {
  const { stdout } = await run('dmsetup', ['ls'])
  const devices = stdout.split('\n').flatMap((line) => line.split('\t')[0] || [])
  assert.ok(devices.length > volumes.length, stdout)
  for (const device of devices) {
    for (const what of ['status', 'table'] as const) {
      const told = await askMapper({ what, device }, { action: 'ask', code: ErrorCode.ImageLost, signal })
      const printed = (await run('dmsetup', [what, device])).stdout
      assert.equal(told, printed.replaceAll(/ +$/gmu, ''), `${what} of ${device}`)
    }
  }
  await assert.rejects(
    askMapper({ what: 'status', device: 'nobody' }, { action: 'ask', code: ErrorCode.ImageLost, signal }),
    { code: ErrorCode.ImageLost },
  )
})

test('the text of a group tells at once what lvs reports, without any program', async () => {
  await using opened = await openCase()
  await using groups = new LiveGroups({ ...hostLvm, listVolumes: noProgram, readGroup: noProgram })
  const { groupUuid } = (await hostLvm.volumeIdAt(opened.sources[0]?.path ?? '')) ?? assert.fail()
  const assertSame = async (): Promise<number> => {
    const found = byUuid(await groups.volumes([groupUuid], signal))
    assert.deepEqual(found, byUuid(await hostLvm.listVolumes(signal)))
    const { freeBytes, extentSizeBytes } = await hostLvm.readGroup(groupUuid, signal)
    assert.deepEqual(await groups.room(groupUuid, signal), {
      name: group,
      uuid: groupUuid,
      freeBytes,
      extentSizeBytes,
    })
    return found.length
  }
  const count = await assertSame()
  const request = { lineageKey: 'ab'.repeat(16), leaseEndsAtMs: 0, owner: 'conformance' }
  {
    const sources = opened.sources.map(({ path }) => path)
    await using _frozen = await opened.provider().freeze({ ...request, sources }, signal)
    assert.equal(await assertSame(), count + sources.length)
  }
  assert.equal(await assertSame(), count)
})

function noProgram(): never {
  assert.fail('LVM was asked')
}

function byUuid(found: readonly LvmVolume[]): readonly LvmVolume[] {
  return found
    .map((volume) => ({ ...volume, tags: volume.tags.toSorted() }))
    .toSorted((a, b) => (a.uuid < b.uuid ? -1 : 1))
}

async function openCase(): Promise<ProviderCase> {
  const sources: ProviderCase['sources'][number][] = []
  for (const volume of volumes) {
    const path = `/dev/${group}/${volume}`
    await using source = await openLocalSource(path)
    sources.push({ path, target: { path, sizeBytes: source.sizeBytes } })
  }
  return {
    provider: () => (isThin ? lvmThinProvider(parts) : lvmProvider({ ...parts, storeShare: 1.1 })),
    sources,
    unsuitable: `/dev/${group}/${unsuitable}`,
    leftovers,
    restart: async () => {
      await lvm('vgchange', '-an', group)
      await lvm('vgchange', '-ay', group)
    },
    imitate,
    destroy: ({ label }) => (isThin ? lvm('lvremove', '--yes', label) : wipe(label)),
    truth: isThin ? thinTruth : classicTruth,
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }
}

/** Volumes that were not there in the beginning, and devices that somebody left suspended. */
async function leftovers(): Promise<readonly string[]> {
  const known = new Set([...volumes, ...options.others])
  const found = (await hostLvm.listVolumes(signal)).map(({ name }) => name).filter((name) => !known.has(name))
  const { stdout } = await run('dmsetup', ['info', '-c', '--noheadings', '-o', 'name,suspended'])
  return [...found, ...stdout.split('\n').filter((line) => line.endsWith(':Suspended'))]
}

/** What holds all tags of an image: of thin volumes a snapshot of it, else a volume of its own. */
async function imitate(image: HeldImage): Promise<AsyncDisposable> {
  const tags = (await hostLvm.listVolumes(signal)).find(({ uuid }) => uuid === image.id)?.tags ?? []
  const words = tags.flatMap((tag) => ['--addtag', tag])
  if (isThin) await lvm('lvcreate', '--snapshot', '--name', 'imitation', ...words, image.label)
  else await lvm('lvcreate', '--size', '4m', '-Wn', '--name', 'imitation', ...words, group)
  return { [Symbol.asyncDispose]: () => lvm('lvremove', '--yes', `${group}/imitation`) }
}

async function thinTruth({ label }: HeldImage): Promise<Uint8Array> {
  await lvm('lvchange', '--activate', 'y', '--ignoreactivationskip', label)
  const bytes = await classicTruth({ label })
  await lvm('lvchange', '--activate', 'n', label)
  return bytes
}

async function classicTruth({ label }: Pick<HeldImage, 'label'>): Promise<Uint8Array> {
  await using source = await openLocalSource(`/dev/${label}`)
  return await readBytes(source.image())
}

/** A snapshot that is read cannot be removed by LVM. */
async function wipe(label: string): Promise<void> {
  const [groupName = '', name = ''] = label.split('/')
  await run('dmsetup', ['wipe_table', mapperName(groupName, name)])
}

async function lvm(...words: readonly string[]): Promise<void> {
  await run('lvm', [...words])
}
