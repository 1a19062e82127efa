import { randomBytes } from 'node:crypto'
import { chownSync, linkSync, mkdirSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'

import { runTool } from './run-tool.ts'
import { anyValue, writeAccessLists, writeOddNames, writeSpecialFiles, writeTimes } from './unix-files.ts'

export type XfsTreeOptions = {
  /** In the largest directory. */
  readonly entryCount: number
  /** Of the file with every second block a hole. */
  readonly fragmentCount: number
  readonly blockSizeBytes: number
  readonly hasReflink: boolean
}

/** Fills a mounted XFS with files of every form that the format has for files, directories and attributes. */
export function fillXfs(folder: string, options: XfsTreeOptions): void {
  writeFiles(folder, options)
  writeDirectories(folder, options)
  writeSpecialFiles(`${folder}/special`)
  writeLinks(`${folder}/special`)
  writeAttributes(folder)
  writeTimes(folder, '2486-07-02 20:20:23.987654321')
}

function writeFiles(folder: string, options: XfsTreeOptions): void {
  const { blockSizeBytes } = options
  mkdirSync(`${folder}/files`)
  const at = (name: string): string => `${folder}/files/${name}`
  writeFileSync(at('empty'), '')
  writeFileSync(at('one byte'), 'x')
  writeFileSync(at('large'), randomBytes(3_000_001))
  writeFileSync(at('only a hole'), '')
  truncateSync(at('only a hole'), 5_000_001)
  writeFileSync(at('hole at the end'), randomBytes(10_000))
  truncateSync(at('hole at the end'), 1_000_000)
  writeFileSync(at('unwritten'), '')
  runTool('xfs_io', [
    '-c',
    'falloc 0 2m',
    '-c',
    'pwrite -q 512k 100k',
    '-c',
    'falloc -k 2m 3m',
    at('unwritten'),
  ])
  const pieces = Array.from({ length: options.fragmentCount }, (_, index) => [
    '-c',
    `pwrite -q -S ${index % 251} ${2 * index * blockSizeBytes} ${blockSizeBytes - (index % 7)}`,
  ])
  writeFileSync(at('fragmented'), '')
  for (let start = 0; start < pieces.length; start += 1000) {
    runTool('xfs_io', [...pieces.slice(start, start + 1000).flat(), at('fragmented')])
  }
  linkSync(at('large'), at('large, by another name'))
  chownSync(at('large'), 70_000, 4_000_000_000)
  if (!options.hasReflink) return
  runTool('cp', ['--reflink=always', at('large'), at('shared')])
  runTool('xfs_io', ['-c', 'pwrite -q 1m 64k', at('shared')])
}

function writeDirectories(folder: string, { entryCount }: XfsTreeOptions): void {
  writeFileSync(`${folder}/target`, 'many names')
  for (const [name, count] of Object.entries({ 'one block': 30, leaf: 400, node: entryCount })) {
    mkdirSync(`${folder}/${name}`)
    for (let index = 0; index < count; index += 1) {
      const longer = 'n'.repeat(index % 23)
      linkSync(`${folder}/target`, `${folder}/${name}/entry ${index} ${longer}`)
    }
  }
  // Holes in a large directory: most entries of the blocks in the middle are gone.
  const middle = Array.from({ length: entryCount }, (_, index) => index).slice(entryCount / 4, entryCount / 2)
  const names = middle.map((index) => `entry ${index} ${'n'.repeat(index % 23)}`)
  runTool('xargs', ['-0', 'rm', '-f', '--'], {
    input: names.map((name) => `${folder}/node/${name}\0`).join(''),
  })
  writeOddNames(folder)
  // Two directories that grow in turns, so that neither lies in one piece.
  for (const name of ['turn a', 'turn b']) mkdirSync(`${folder}/${name}`)
  for (let index = 0; index < 3000; index += 1) {
    const name = `${'t'.repeat(200)} ${index}`
    linkSync(`${folder}/target`, `${folder}/turn a/${name}`)
    linkSync(`${folder}/target`, `${folder}/turn b/${name}`)
  }
}

function writeLinks(folder: string): void {
  const at = (name: string): string => `${folder}/${name}`
  symlinkSync('../files/large', at('short link'))
  symlinkSync('s'.repeat(300), at('link of 300'))
  symlinkSync('/'.padEnd(1023, 'long/'), at('link of 1023'))
}

function writeAttributes(folder: string): void {
  mkdirSync(`${folder}/attributes`)
  const at = (name: string): string => `${folder}/attributes/${name}`
  const lines: string[] = []
  const add = (file: string, attributes: readonly string[]): void => {
    writeFileSync(at(file), file)
    lines.push(`# file: ${at(file)}`, ...attributes, '')
  }
  add('short form', [
    `user.a=${anyValue(3)}`,
    'user.empty=""',
    `trusted.b=${anyValue(5)}`,
    `security.c=${anyValue(7)}`,
  ])
  add(
    'leaf',
    Array.from({ length: 20 }, (_, index) => `user.leaf${index}=${anyValue(20 + index)}`),
  )
  add(
    'node',
    Array.from(
      { length: 400 },
      (_, index) => `user.node${index}${'x'.repeat(index % 50)}=${anyValue(index)}`,
    ),
  )
  add('remote', [
    `user.largest=${anyValue(65_536)}`,
    `trusted.large=${anyValue(5000)}`,
    `user.small=${anyValue(10)}`,
  ])
  add(
    'many remote',
    Array.from({ length: 30 }, (_, index) => `user.remote${index}=${anyValue(3000 + 1000 * index)}`),
  )
  // Two files whose values are written in turns, so that neither has its attributes in one piece.
  for (const name of ['turn a', 'turn b']) writeFileSync(at(name), name)
  for (let index = 0; index < 60; index += 1) {
    for (const name of ['turn a', 'turn b']) {
      lines.push(`# file: ${at(name)}`, `user.turn${index}=${anyValue(3500)}`, '')
    }
  }
  runTool('setfattr', ['--restore=-'], { input: lines.join('\n') })
  writeAccessLists(`${folder}/attributes`, 3000)
  runTool('setfattr', ['-h', '-n', 'trusted.of-link', '-v', anyValue(9), `${folder}/special/short link`])
  runTool('setfattr', ['-h', '-n', 'trusted.of-fifo', '-v', anyValue(200), `${folder}/special/fifo`])
}
