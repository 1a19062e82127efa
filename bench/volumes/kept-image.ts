import { closeSync, existsSync, ftruncateSync, mkdirSync, openSync, renameSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Bench } from '../bench.ts'

export type ImageWish = {
  readonly name: string
  readonly sizeBytes: number
  /** Makes a file system in the empty image. */
  make(image: string): void
}

/** A sparse image in the work folder, made once; a half-made one is never used. */
export function keptImage(bench: Bench, wish: ImageWish): string {
  const folder = join(dirname(dirname(bench.data.image)), 'volumes')
  const path = join(folder, wish.name)
  if (existsSync(path)) return path
  bench.say(`  making ${path}`)
  mkdirSync(folder, { recursive: true })
  const part = `${path}.part`
  rmSync(part, { force: true })
  const file = openSync(part, 'w')
  ftruncateSync(file, wish.sizeBytes)
  closeSync(file)
  wish.make(part)
  renameSync(part, path)
  return path
}
