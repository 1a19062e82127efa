import type { Randomness } from '../../src/domain/randomness.ts'
import type { FileTime } from '../../src/formats/file-system.ts'
import type { ModelFile } from './model-files.ts'

/** Files by inode number, root 2, whose entries can be changed. */
export type ModelTree = Map<number, ModelFile & { entries?: Map<string, number> }>

type Change = (tree: ModelTree, chance: Randomness) => void
type Name = { readonly folder: Map<string, number>; readonly name: string; readonly number: number }

/** The volume that contents lie on: any piece of it is a content. */
const VOLUME_BYTES = 2 ** 20
const ROOT = 2

export function modelTree(
  chance: Randomness,
  { folders, files }: { readonly folders: number; readonly files: number },
): ModelTree {
  const tree: ModelTree = new Map([[ROOT, { kind: 'directory', entries: new Map<string, number>() }]])
  for (let index = 0; index < folders; index += 1) addName(tree, chance, newFolder())
  for (let index = 0; index < files; index += 1) addName(tree, chance, newFile(chance))
  return tree
}

export function changeModel(tree: ModelTree, chance: Randomness, count: number): void {
  for (let done = 0; done < count; done += 1) CHANGES[chance.below(CHANGES.length)]?.(tree, chance)
  // What is in no folder any more has no links.
  const reached = new Set(namesOf(tree).map(({ number }) => number))
  for (const number of tree.keys()) if (number !== ROOT && !reached.has(number)) tree.delete(number)
}

/** Long, so that a bin of a catalogue has few. */
function newName(chance: Randomness): string {
  return `${chance.below(1_000_000)}, which is a name ${'of many words '.repeat(chance.below(20))}`
}

function newFolder(): ModelFile & { entries: Map<string, number> } {
  return { kind: 'directory', mode: 0o755, entries: new Map<string, number>() }
}

function newFile(chance: Randomness): ModelFile {
  const length = [0, 5, 5, 300, 300, 1000, 1000, 20_000][chance.below(8)] ?? 0
  return { kind: 'file', times: timesOf(chance), ...contentOf(chance, length) }
}

function timesOf(chance: Randomness): [FileTime, FileTime, FileTime, FileTime] {
  const time = (): FileTime => ({ seconds: chance.below(100_000), nanoseconds: chance.below(1_000_000) })
  return [time(), time(), time(), time()]
}

function contentOf(chance: Randomness, length: number): Pick<ModelFile, 'sizeBytes' | 'pieces'> {
  const gap = chance.below(9) === 0 ? 30_000 : 0
  const pieces = length === 0 ? [] : [{ offset: gap, length, at: chance.below(VOLUME_BYTES - length) }]
  return { sizeBytes: length === 0 ? 0 : gap + length, pieces }
}

function foldersOf(tree: ModelTree): Map<string, number>[] {
  return namesOf(tree)
    .flatMap(({ number }) => tree.get(number)?.entries ?? [])
    .concat(tree.get(ROOT)?.entries ?? [])
}

/** All that the root leads to. */
function namesOf(tree: ModelTree): Name[] {
  const names: Name[] = []
  const waiting = [tree.get(ROOT)?.entries ?? new Map<string, number>()]
  for (let folder = waiting.pop(); folder !== undefined; folder = waiting.pop()) {
    for (const [name, number] of folder) {
      names.push({ folder, name, number })
      const entries = tree.get(number)?.entries
      if (entries !== undefined) waiting.push(entries)
    }
  }
  return names
}

function pick<T>(chance: Randomness, from: readonly T[]): T | undefined {
  return from[chance.below(Math.max(1, from.length))]
}

function pickFile(tree: ModelTree, chance: Randomness): Name | undefined {
  return pick(
    chance,
    namesOf(tree).filter(({ number }) => tree.get(number)?.entries === undefined),
  )
}

/** One with several names. */
function pickLinked(tree: ModelTree, chance: Randomness): Name | undefined {
  const names = namesOf(tree)
  const counts = new Map<number, number>()
  for (const { number } of names) counts.set(number, (counts.get(number) ?? 0) + 1)
  return pick(
    chance,
    names.filter(({ number }) => (counts.get(number) ?? 0) > 1),
  )
}

function addName(tree: ModelTree, chance: Randomness, file: ModelFile | number): void {
  const folder = pick(chance, foldersOf(tree))
  const number = typeof file === 'number' ? file : Math.max(...tree.keys()) + 1
  const name = newName(chance)
  if (folder === undefined || folder.has(name)) return
  folder.set(name, number)
  if (typeof file !== 'number') tree.set(number, withEntries(file))
}

function withEntries({ entries, ...file }: ModelFile): ModelFile & { entries?: Map<string, number> } {
  return entries === undefined ? file : { ...file, entries: new Map(entries) }
}

function change(tree: ModelTree, name: Name | undefined, to: Partial<Omit<ModelFile, 'entries'>>): void {
  const file = name === undefined ? undefined : tree.get(name.number)
  if (name !== undefined && file !== undefined) tree.set(name.number, { ...file, ...to })
}

/** Also under another name, perhaps one that is taken. */
function move(tree: ModelTree, chance: Randomness, moved: Name | undefined): void {
  const isFolder = moved !== undefined && tree.get(moved.number)?.entries !== undefined
  const taken = pickFile(tree, chance)
  moved?.folder.delete(moved.name)
  const folder = pick(chance, foldersOf(tree))
  if (moved === undefined || folder === undefined) return
  if (!isFolder && taken !== undefined && chance.below(3) === 0) taken.folder.set(taken.name, moved.number)
  else folder.set(newName(chance), moved.number)
}

const CHANGES: readonly Change[] = [
  (tree, chance) => addName(tree, chance, newFile(chance)),
  (tree, chance) => addName(tree, chance, newFolder()),
  (tree, chance) => addName(tree, chance, { kind: 'symlink', target: chance.bytes(1 + chance.below(200)) }),
  (tree, chance) =>
    addName(tree, chance, { kind: 'block-device', device: { major: 8, minor: chance.below(9) } }),
  (tree, chance) => removeName(pickFile(tree, chance)),
  (tree, chance) => removeName(pick(chance, namesOf(tree))),
  (tree, chance) => change(tree, pickFile(tree, chance), { mode: chance.below(0o1000) }),
  (tree, chance) => change(tree, pick(chance, namesOf(tree)), { userId: chance.below(10) }),
  (tree, chance) => change(tree, pickLinked(tree, chance), { mode: chance.below(0o1000) }),
  (tree, chance) => change(tree, pickLinked(tree, chance), { times: timesOf(chance) }),
  (tree, chance) => change(tree, pickFile(tree, chance), { times: timesOf(chance) }),
  (tree, chance) => {
    const attributes = [{ name: Buffer.from('user.a'), value: chance.bytes(chance.below(3000)) }]
    change(tree, pickFile(tree, chance), { times: timesOf(chance), attributes })
  },
  // Content that changed under times that did not, too.
  (tree, chance) => rewrite(tree, chance, pickFile(tree, chance)),
  (tree, chance) => rewrite(tree, chance, pickLinked(tree, chance)),
  (tree, chance) => {
    const name = pickFile(tree, chance)
    if (name === undefined || tree.get(name.number)?.kind !== 'file') return
    change(tree, name, { times: timesOf(chance), ...contentOf(chance, chance.below(60_000)) })
  },
  (tree, chance) => move(tree, chance, pickFile(tree, chance)),
  (tree, chance) => move(tree, chance, pickLinked(tree, chance)),
  (tree, chance) => move(tree, chance, pick(chance, namesOf(tree))),
  (tree, chance) => addName(tree, chance, pickFile(tree, chance)?.number ?? newFile(chance)),
  (tree, chance) => addName(tree, chance, pickFile(tree, chance)?.number ?? newFile(chance)),
  // Something of another kind under the same names.
  (tree, chance) => {
    const name = (chance.below(2) === 0 ? pickLinked : pickFile)(tree, chance)
    if (name !== undefined) tree.set(name.number, { kind: 'symlink', target: chance.bytes(20) })
  },
  (tree, chance) => {
    const name = pickFile(tree, chance)
    name?.folder.delete(name.name)
    const number = Math.max(...tree.keys()) + 1
    if (name === undefined) return
    name.folder.set(name.name, number)
    tree.set(number, chance.below(2) === 0 ? withEntries(newFile(chance)) : newFolder())
  },
]

function rewrite(tree: ModelTree, chance: Randomness, name: Name | undefined): void {
  const file = name === undefined ? undefined : tree.get(name.number)
  const [piece] = file?.pieces ?? []
  if (piece === undefined || !('at' in piece)) return
  change(tree, name, { pieces: [{ ...piece, at: chance.below(VOLUME_BYTES - piece.length) }] })
}

function removeName(name: Name | undefined): void {
  name?.folder.delete(name.name)
}
