import { setTimeout as sleep } from 'node:timers/promises'
import { ErrorCode, BackupError, isBackupError } from '../../domain/backup-error.ts'
import type { FrozenImage } from '../../domain/frozen-image.ts'
import type { ProgressListener } from '../../domain/progress.ts'
import type { Randomness } from '../../domain/randomness.ts'
import { inOrder } from '../../extents/in-order.ts'
import { mappedImage } from '../../images/mapped-image.ts'
import type { MappedTargetAddress } from '../../lane/mapped-target.ts'
import type { WriteGate } from '../../lane/write-gate.ts'
import { challenge } from '../../mover/challenge.ts'
import type { AgentApi, ImageOfAgent } from '../../rpc/agent-api.ts'
import { AgentMap } from '../agent-source/agent-map.ts'
import type { DisksToWrite } from './disks-to-write.ts'
import { requireOwnView } from './require-own-view.ts'
import { requireSoundMap } from './require-sound-map.ts'

/** While LVM moves a volume nobody can say where it lies. */
const MOVING_MAX = 600
const MOVING_STEP_MS = 1000

export type SanTargetParts = {
  readonly agent: AgentApi
  /** The target, as an image. */
  readonly image: ImageOfAgent
  readonly host: string
  /** What is restored ends here. */
  readonly endOffset: number
  readonly disks: DisksToWrite
  readonly sparse: boolean
  readonly randomness: Randomness
  readonly progress: ProgressListener
}

/** A target of another host, where it lies on disks that this host sees too. */
export class SanTarget {
  readonly #parts: SanTargetParts
  readonly map: AgentMap
  readonly #used: readonly number[]

  private constructor(parts: SanTargetParts, map: AgentMap, used: readonly number[]) {
    this.#parts = parts
    this.map = map
    this.#used = used
  }

  /** Learns where it lies, and looks at every reason not to write there. */
  static async open(parts: SanTargetParts, signal: AbortSignal): Promise<SanTarget> {
    const { agent, image, host, disks } = parts
    const { devices, source: path } = image
    if (devices.length === 0) {
      const message = `Cannot write "${path}" on the storage: its owner knows no disks that other hosts can find and on which it lies in a way that stays as it is; thin volumes, origins of snapshots and the like do not`
      throw new BackupError(ErrorCode.TargetUnsuitable, message)
    }
    const map = await receive(parts, () => AgentMap.receive({ agent, image, host }, signal), signal)
    const used = requireSoundMap(map, { path, devices })
    await disks.open(used.flatMap((number) => devices[number] ?? []))
    const target = new SanTarget(parts, map, used)
    await requireOwnView({ path, map, disks: target.#images() }, signal)
    return target
  }

  async address(gate: WriteGate): Promise<MappedTargetAddress> {
    const { image, disks, sparse } = this.#parts
    const devices = image.devices.map((identity, number) =>
      this.#used.includes(number) ? disks.writable(identity) : null,
    )
    return {
      kind: 'mapped',
      sizeBytes: this.map.sizeBytes,
      map: await this.map.encode(),
      devices: devices.map((disk) =>
        disk === null ? null : { path: disk.path, fd: disk.fd, sizeBytes: disk.sizeBytes },
      ),
      gate: gate.memory,
      sparse,
    }
  }

  /**
   * Compares random ranges as the agent's host reads them through the volume with what this host reads on the disks.
   * Throws TARGET_MISMATCH, TARGET_CHANGED.
   */
  async compare(when: 'before' | 'after', signal: AbortSignal): Promise<number> {
    const { agent, image, endOffset, randomness } = this.#parts
    const own = this.#image()
    let hasMoved = false
    const compared = challenge(
      {
        source: image.source,
        sizeBytes: endOffset,
        sectorSizeBytes: image.sectorSizeBytes,
        dataRanges: (range) => inOrder([[range]]),
        ask: (question, now) => agent.challenge({ imageId: image.imageId, ...question }, now),
        read: async ({ offset, length }) => {
          const bytes = new Uint8Array(length)
          await own.readInto(bytes, offset)
          return bytes
        },
        moved: async (now) => {
          const moved = await this.map.identify(now)
          hasMoved ||= moved.length > 0
          return moved
        },
        where: () => 'its disks',
        randomness,
      },
      signal,
    )
    try {
      const count = await compared
      if (hasMoved) throw new BackupError(ErrorCode.TargetChanged, `"${image.source}" lies elsewhere now`)
      return count
    } catch (error) {
      if (!isBackupError(error, ErrorCode.ChallengeFailed)) throw error
      const found =
        when === 'before'
          ? 'what this host reads of its disks is not what its owner reads: another disk has this name, or a cache is between; nothing was written'
          : 'what its owner reads after all was written is not what was written: another disk has this name, or somebody else writes to it'
      const message = `Cannot write "${image.source}" on the storage: ${found}`
      throw new BackupError(ErrorCode.TargetMismatch, message, { data: { ...error.data }, cause: error })
    }
  }

  #images(): ReadonlyMap<number, FrozenImage> {
    const { image, disks } = this.#parts
    return new Map(
      this.#used.flatMap((number) => {
        const identity = image.devices[number]
        const disk = identity === undefined ? null : disks.image(identity)
        return disk === null ? [] : [[number, disk] as const]
      }),
    )
  }

  #image(): FrozenImage {
    const images = this.#images()
    const layers = this.#parts.image.devices.map((_, device) => {
      const image = images.get(device) ?? [...images.values()][0]
      if (image === undefined) throw new RangeError('a target lies on at least one disk')
      return { image, device, isMapped: false }
    })
    const { map } = this
    return mappedImage({ sizeBytes: map.sizeBytes, extentsIn: (range) => map.extentsIn(range) }, layers)
  }
}

/** Waits for what moves the target just now. */
async function receive(
  { progress }: SanTargetParts,
  ask: () => Promise<AgentMap>,
  signal: AbortSignal,
): Promise<AgentMap> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await ask()
    } catch (error) {
      if (!isBackupError(error, ErrorCode.TargetChanged) || attempt >= MOVING_MAX) throw error
      if (attempt === 1) {
        progress({
          event: 'notice',
          message: `Waiting until it is clear where the target lies: ${error.message}`,
        })
      }
      await sleep(MOVING_STEP_MS, undefined, { signal })
    }
  }
}
