import type { HeldImage } from '../provider/held-image.ts'
import { encodeFacts, isOwnFacts, isUntouched, parseFacts, type CloneFacts } from './clone-facts.ts'
import type { Clone, CloneFolder, Room } from '../../domain/file-clone.ts'
import type { ReflinkTools } from './reflink-tools.ts'

export const PROVIDER_NAME = 'reflink'
/** Of a clone in very many pieces nobody needs to know the cost so exactly that a list of images takes long. */
const COST_EXTENTS_MAX = 100_000
const NAME = /^[0-9a-f]{32}$/

export type FoundClone = { readonly clone: Clone; readonly facts: CloneFacts; readonly isUntouched: boolean }

/** Opens the clone of that name, if it is one of ours. The caller closes it. */
export async function openClone(folder: CloneFolder, name: string): Promise<FoundClone | null> {
  if (!NAME.test(name)) return null
  const clone = await folder.open(name)
  if (clone === null) return null
  const bytes = await clone.facts()
  const facts = bytes === null ? null : parseFacts(bytes)
  const state = await clone.state()
  if (facts !== null && isOwnFacts(facts, name, state)) {
    return { clone, facts, isUntouched: isUntouched(facts, state) }
  }
  await clone[Symbol.asyncDispose]()
  return null
}

/** Calls `visit` with every clone of ours on this host, open for that time. */
export async function visitClones(
  tools: Pick<ReflinkTools, 'folders'>,
  visit: (found: FoundClone) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  for (const folder of await tools.folders()) {
    for (const name of await folder.names()) {
      signal.throwIfAborted()
      const found = await openClone(folder, name)
      if (found === null) continue
      await using _clone = found.clone
      await visit(found)
    }
  }
}

export function heldImageOf(facts: CloneFacts, clone: Clone, cost: HeldImage['cost']): HeldImage {
  const { id, source, lineageKey, use, createdAtMs } = facts
  return { provider: PROVIDER_NAME, id, label: clone.path, source, lineageKey, use, createdAtMs, cost }
}

export async function costOf(clone: Clone, signal: AbortSignal): Promise<HeldImage['cost']> {
  const room: Room = await clone.folder.room()
  return { heldBytes: await unsharedBytes(clone, signal), roomBytes: room.freeBytes }
}

/** What no other file has; null when it would take long to know. */
async function unsharedBytes(clone: Clone, signal: AbortSignal): Promise<number | null> {
  let bytes = 0
  let count = 0
  const range = { offset: 0, length: clone.image.sizeBytes }
  for await (const batch of clone.extents(range, signal)) {
    for (const extent of batch) if (!extent.shared) bytes += extent.length
    count += batch.length
    if (count > COST_EXTENTS_MAX) return null
  }
  return bytes
}

export async function changeUse(found: FoundClone, use: HeldImage['use']): Promise<CloneFacts> {
  const facts = { ...found.facts, use }
  await found.clone.setFacts(encodeFacts(facts))
  return facts
}
