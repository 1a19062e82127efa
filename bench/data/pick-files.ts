import type { HostFile } from './host-files.ts'
import { shuffled, type SeededStream } from './seeded-stream.ts'

/** One file may be at most this share of a part, or a small volume would be a single library. */
const FILE_SHARE_MAX = 0.25

export type PickedFiles = {
  readonly picked: readonly HostFile[]
  readonly rest: readonly HostFile[]
  readonly pickedBytes: number
}

/** Takes files in the stream's order until they have `budgetBytes`. */
export function pickFiles(
  files: readonly HostFile[],
  budgetBytes: number,
  stream: SeededStream,
): PickedFiles {
  const picked: HostFile[] = []
  const rest: HostFile[] = []
  let pickedBytes = 0
  for (const file of shuffled(files, stream)) {
    const fits = file.sizeBytes <= budgetBytes * FILE_SHARE_MAX && pickedBytes + file.sizeBytes <= budgetBytes
    if (fits) {
      picked.push(file)
      pickedBytes += file.sizeBytes
    } else rest.push(file)
  }
  return { picked: picked.toSorted((a, b) => (a.path < b.path ? -1 : 1)), rest, pickedBytes }
}
