import type { TemporaryRepository } from '../support/temporary-repository.ts'

/** How far a run had come when it was killed, told by what it left in the repository. */
export const PHASES = [
  'before its writer record',
  'before its first pack',
  'among its packs',
  'between index and point',
  'after its point',
] as const
export type Phase = (typeof PHASES)[number]

export type Contents = Readonly<Record<'writers' | 'packs' | 'index' | 'points', ReadonlySet<string>>>

export function contentsOf(repository: TemporaryRepository): Contents {
  const setOf = (folder: string): ReadonlySet<string> => new Set(repository.files(folder))
  return {
    writers: setOf('writers'),
    packs: setOf('packs'),
    index: setOf('index'),
    points: setOf('points'),
  }
}

/** The latest phase that what is new in `after` proves. */
export function phaseOf(before: Contents, after: Contents): Phase {
  const isNew = (folder: keyof Contents): boolean =>
    [...after[folder]].some((name) => !before[folder].has(name))
  if (isNew('points')) return 'after its point'
  if (isNew('index')) return 'between index and point'
  if (isNew('packs')) return 'among its packs'
  return isNew('writers') ? 'before its first pack' : 'before its writer record'
}
