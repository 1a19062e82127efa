import { mkdirSync, symlinkSync, truncateSync, utimesSync, writeFileSync } from 'node:fs'
import { createHash } from 'node:crypto'
import { join } from 'node:path'

/** 2024-02-03 04:05:06 UTC: every time stamp of a made file system. */
export const SAMPLE_TIME_SECONDS = 1_706_933_106

const WORDS = ['extent', 'frozen', 'image', 'device', 'offset', 'chunk', 'pack', 'index', 'point', 'ledger']

export type SampleFilesOptions = {
  /** The same seed gives the same bytes. */
  readonly seed?: string
  /** About how many bytes of content: a third text, a third incompressible, the rest repeated. Default 4 MiB. */
  readonly contentBytes?: number
}

/** Fills an existing folder with files such as a disk holds: text, noise, a copy, a sparse file, links, many small ones. */
export function writeSampleFiles(folder: string, options: SampleFilesOptions = {}): void {
  const seed = options.seed ?? 'icecore'
  const share = Math.floor((options.contentBytes ?? 4 * 1024 * 1024) / 4)
  const names: string[] = []
  const write = (name: string, bytes: Uint8Array): void => {
    writeFileSync(join(folder, name), bytes)
    names.push(name)
  }
  for (const name of ['etc', 'var', 'home', 'home/empty']) mkdirSync(join(folder, name))
  const noise = noiseBytes(`${seed} noise`, share)
  write('var/journal.txt', textBytes(`${seed} text`, share))
  write('home/photo.bin', noise)
  write('home/copy-of-photo.bin', noise)
  write('home/zeros.bin', new Uint8Array(share))
  for (let index = 0; index < 50; index += 1) {
    write(`etc/setting-${index}.conf`, textBytes(`${seed} ${index}`, 10 + index * 97))
  }
  write('var/sparse.img', noise.subarray(0, 8192))
  truncateSync(join(folder, 'var/sparse.img'), share * 4)
  symlinkSync('photo.bin', join(folder, 'home/latest'))
  for (const name of names) utimesSync(join(folder, name), SAMPLE_TIME_SECONDS, SAMPLE_TIME_SECONDS)
}

/** Bytes that look random and are the same for the same seed: SHA-256 of a counter. */
export function noiseBytes(seed: string, length: number): Uint8Array {
  const bytes = new Uint8Array(Math.ceil(length / 32) * 32)
  for (let index = 0; index * 32 < length; index += 1) {
    bytes.set(createHash('sha256').update(`${seed} ${index}`).digest(), index * 32)
  }
  return bytes.subarray(0, length)
}

/** Lines of words, compressible as a log file is; the same for the same seed. */
export function textBytes(seed: string, length: number): Uint8Array {
  const choices = noiseBytes(seed, Math.ceil(length / 4) + 8)
  let text = ''
  for (let index = 0; text.length < length; index += 1) {
    const choice = choices[index % choices.length] ?? 0
    text += `${WORDS[choice % WORDS.length]}${choice % 7 === 0 ? `=${choice}\n` : ' '}`
  }
  return new TextEncoder().encode(text.slice(0, length))
}
