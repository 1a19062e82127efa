import { PLACES } from '../repository/tree-node.ts'
import { addPlace, isEmptyMask, isPlaceIn, MASK_SIZE } from './leaf-mask.ts'
import type { Pace } from './pace.ts'
import type { SealJob, SealLanes, SealOutcome } from './seal-lanes.ts'

/** What is read between two questions whether it may be: a rate is kept in steps of this. */
const STEP_BYTES = 4 * 1024 * 1024

/** Lanes that read only as fast as the pace lets them. */
export function pacedLanes(
  lanes: SealLanes,
  how: { readonly pace: Pace; readonly chunkSizeBytes: number; readonly signal: AbortSignal },
): SealLanes {
  const { pace, chunkSizeBytes, signal } = how
  const placesMax = Math.max(1, Math.floor(STEP_BYTES / chunkSizeBytes))
  return {
    count: lanes.count,
    async seal(job) {
      let sum: SealOutcome | null = null
      for (const step of stepsOf(job, placesMax)) {
        using _turn = await pace.enter(step.placeCount * chunkSizeBytes, signal)
        sum = joined(sum, await lanes.seal({ ...job, read: step.read }))
      }
      return sum ?? (await lanes.seal(job))
    },
    remap: (source, map) => lanes.remap(source, map),
    drain: () => lanes.drain(),
    [Symbol.asyncDispose]: () => lanes[Symbol.asyncDispose](),
  }
}

type Step = { readonly read: Uint8Array; readonly placeCount: number }

function* stepsOf({ read }: SealJob, placesMax: number): Generator<Step> {
  let step = new Uint8Array(MASK_SIZE)
  let placeCount = 0
  for (let place = 0; place < PLACES; place += 1) {
    if (!isPlaceIn(read, place)) continue
    addPlace(step, place)
    placeCount += 1
    if (placeCount < placesMax) continue
    yield { read: step, placeCount }
    step = new Uint8Array(MASK_SIZE)
    placeCount = 0
  }
  if (!isEmptyMask(step)) yield { read: step, placeCount }
}

/** The places of the two are others. */
function joined(before: SealOutcome | null, now: SealOutcome): SealOutcome {
  if (before === null) return now
  const set = Uint8Array.from(before.set)
  const ids = Uint8Array.from(before.ids)
  for (let place = 0; place < PLACES; place += 1) {
    if (!isPlaceIn(now.set, place)) continue
    addPlace(set, place)
    ids.set(now.ids.subarray(place * 32, place * 32 + 32), place * 32)
  }
  return {
    set,
    ids,
    readBytes: before.readBytes + now.readBytes,
    zeroBytes: before.zeroBytes + now.zeroBytes,
    newChunkCount: before.newChunkCount + now.newChunkCount,
    reusedChunkCount: before.reusedChunkCount + now.reusedChunkCount,
  }
}
