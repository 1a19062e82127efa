import {
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import * as v from 'valibot'
import type { Run } from './data-runs.ts'
import { logText } from './log-text.ts'
import { seededStream, type SeededStream } from './seeded-stream.ts'

const ChangeList = v.array(v.object({ offset: v.number(), length: v.number() }))

/** The change, its list as `rbd diff --format=json` writes it, and what it takes to go back. */
export type ScatteredChange = {
  readonly image: string
  readonly changeList: string
  readonly before: string
  readonly after: string
  readonly marker: string
}

export function scatteredChangeIn(folder: string, image: string): ScatteredChange {
  return {
    image,
    changeList: join(folder, 'changes.json'),
    before: join(folder, 'change-before.bin'),
    after: join(folder, 'change-after.bin'),
    marker: join(folder, 'change-is-applied'),
  }
}

/** Writes the list, the bytes that are there and the bytes to be; the image stays as it is. */
export function prepareChange(change: ScatteredChange, writes: readonly Run[], stream: SeededStream): void {
  const list = writes.map((write) => ({ ...write, exists: 'true' }))
  writeFileSync(change.changeList, JSON.stringify(list))
  const image = openSync(change.image, 'r')
  const before = openSync(change.before, 'w')
  const after = openSync(change.after, 'w')
  const clock = { timeMs: 1_710_000_000_000 }
  for (const write of writes) {
    const content = Buffer.alloc(write.length)
    readSync(image, content, 0, write.length, write.offset)
    writeSync(before, content)
    // Half of what is written compresses well, half not at all.
    if (stream.below(2) === 0) stream.fill(content)
    else content.write(logText(write.length, seededStream(`line ${write.offset}`), clock), 'latin1')
    writeSync(after, content)
  }
  for (const file of [image, before, after]) closeSync(file)
}

/** Writes the change into the image, in place: a second image would need the disk and the page cache twice. */
export function applyChange(change: ScatteredChange): void {
  writeFileSync(change.marker, 'The image has the scattered change. The next run takes it back.\n', {
    flush: true,
  })
  overwrite(change, change.after)
}

/** Takes the change back, also one that an interrupted run left half written. */
export function undoChange(change: ScatteredChange): void {
  if (!existsSync(change.marker)) return
  overwrite(change, change.before)
  rmSync(change.marker)
}

function overwrite(change: ScatteredChange, contentPath: string): void {
  const writes = v.parse(ChangeList, JSON.parse(readFileSync(change.changeList, 'utf8')))
  const content = readFileSync(contentPath)
  const image = openSync(change.image, 'r+')
  let position = 0
  for (const write of writes) {
    writeSync(image, content, position, write.length, write.offset)
    position += write.length
  }
  fsyncSync(image)
  closeSync(image)
}
