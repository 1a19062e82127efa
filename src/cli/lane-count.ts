import { availableParallelism } from 'node:os'
import type { Settings } from './settings.ts'

/** More lanes than this would only take memory, unless somebody asks for them. */
const LANES_MAX = 16

/** One lane for each processor, unless the command or the configuration says otherwise. */
export function laneCount(invocation: {
  options: { readonly lanes: number | undefined }
  settings: Settings
}): number {
  return invocation.options.lanes ?? invocation.settings.lanes ?? Math.min(LANES_MAX, availableParallelism())
}
