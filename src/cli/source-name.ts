import type { OpenedSource } from './open-source.ts'

/** The short name of one of several sources where that tells them apart, else its path. */
export function sourceName(
  source: Pick<OpenedSource, 'title' | 'path'>,
  all: readonly Pick<OpenedSource, 'title'>[],
): string {
  const isTold = all.filter(({ title }) => title === source.title).length === 1
  return isTold ? source.title : source.path
}
