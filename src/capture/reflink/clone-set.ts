import { DegradedCode, type Degraded } from '../../domain/ledger.ts'
import type { CloneSource, UnnamedClone } from '../../domain/file-clone.ts'

export type CloneSet = {
  readonly clones: readonly UnnamedClone[]
  /** From the first writer that may have waited for its clone until the last that went on. */
  readonly windowMs: number
  readonly degraded: readonly Degraded[]
}

const ATTEMPT_COUNT = 5
/** After that much silence a further write is sure to be seen in a file's times, whatever the kernel's tick. */
const SETTLE_MS = 30
const NAMES_IN_MESSAGE = 3

/**
 * Clones all files. Each clone is of one moment: the file system keeps the file's writers out while it is made. There
 * is no way to keep those of several files out together (a file system that is frozen makes no clones), so that is
 * looked at instead: if no file was written from before the first clone until after the last, all clones are of
 * every moment in between. If one was, all are made again, a few times; then they are what they are, and it is said.
 */
export async function cloneTogether(
  sources: readonly CloneSource[],
  { wait, signal }: { readonly wait: (ms: number) => Promise<void>; readonly signal: AbortSignal },
): Promise<CloneSet> {
  let windowMs = 0
  for (let attempt = 1; ; attempt += 1) {
    // What is dirty is written before, while nobody has to wait for it.
    await Promise.all(sources.map((source) => source.flush()))
    signal.throwIfAborted()
    const before = await Promise.all(sources.map((source) => source.version()))
    const startMs = performance.now()
    const clones = await cloneAll(sources)
    windowMs = Math.max(windowMs, performance.now() - startMs)
    if (sources.length === 1) return { clones, windowMs, degraded: [] }
    const after = await Promise.all(sources.map((source) => source.version()))
    const moved = sources.filter(
      (_, index) => before[index]?.isSettled !== true || before[index].text !== after[index]?.text,
    )
    if (moved.length === 0) return { clones, windowMs, degraded: [] }
    if (attempt === ATTEMPT_COUNT) return { clones, windowMs, degraded: [apart(moved, windowMs)] }
    await disposeAll(clones)
    await wait(SETTLE_MS)
    signal.throwIfAborted()
  }
}

/** All at once; when one fails, none is left. */
async function cloneAll(sources: readonly CloneSource[]): Promise<readonly UnnamedClone[]> {
  const results = await Promise.allSettled(sources.map((source) => source.clone()))
  const clones = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
  const failure = results.find((result) => result.status === 'rejected')
  if (failure === undefined) return clones
  await disposeAll(clones)
  throw failure.reason
}

async function disposeAll(clones: readonly UnnamedClone[]): Promise<void> {
  await Promise.all(clones.map((clone) => clone[Symbol.asyncDispose]()))
}

function apart(moved: readonly CloneSource[], windowMs: number): Degraded {
  const names = moved.slice(0, NAMES_IN_MESSAGE).map(({ path }) => `"${path}"`)
  const more = moved.length > names.length ? ` and ${moved.length - names.length} more` : ''
  return {
    code: DegradedCode.MomentsDiffer,
    message:
      `the files are each of one moment, but not all of the same one, within ${Math.ceil(windowMs)} ms: ` +
      `${names.join(', ')}${more} were written while the others were cloned`,
  }
}
