import { randomBytes } from 'node:crypto'
import { chownSync, linkSync, mkdirSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'

import { runTool } from './run-tool.ts'
import { anyValue, writeAccessLists, writeOddNames, writeSpecialFiles, writeTimes } from './unix-files.ts'

export type Ext4TreeOptions = {
  /** In the largest directory; their names have 200 bytes and more. */
  readonly entryCount: number
  /** Of the file with every second block a hole. */
  readonly fragmentCount: number
  readonly blockSizeBytes: number
  /** What fits into an inode and its attribute block, or more where values have inodes of their own. */
  readonly attributeBytes: number
  /** Whether files can be given blocks ahead of their content. */
  readonly hasExtents: boolean
}

/** Fills a mounted ext2, ext3 or ext4 with files of every form that the format has for them. */
export function fillExt4(folder: string, options: Ext4TreeOptions): void {
  writeFiles(folder, options)
  writeDirectories(folder, options)
  writeSpecialFiles(`${folder}/special`)
  runTool('mknod', [`${folder}/special/old block`, 'b', '8', '17'])
  writeLinks(`${folder}/special`)
  writeAttributes(folder, options)
  writeTimes(folder, '2446-05-10 22:38:55.987654321')
}

function writeFiles(folder: string, options: Ext4TreeOptions): void {
  const { blockSizeBytes } = options
  mkdirSync(`${folder}/files`)
  const at = (name: string): string => `${folder}/files/${name}`
  // Around what fits into an inode, its extra room, and a block.
  for (const size of [0, 1, 59, 60, 61, 100, 150, 160, 161, 200, 1000, 1024, 4095, 4097]) {
    writeFileSync(at(`${size} bytes`), randomBytes(size))
  }
  writeFileSync(at('made longer'), 'short')
  truncateSync(at('made longer'), 120)
  writeFileSync(at('large'), randomBytes(3_000_001))
  writeFileSync(at('only a hole'), '')
  truncateSync(at('only a hole'), 5_000_001)
  writeFileSync(at('hole at the end'), randomBytes(10_000))
  truncateSync(at('hole at the end'), 1_000_000)
  // With blocks of 1 KiB, the last one is behind what a doubly indirect block leads to.
  const farthest = blockSizeBytes === 1024 ? 70_000 : 10_000
  writeAt(
    at('far'),
    [0, 12, 13, 300, farthest].map((block) => block * blockSizeBytes),
  )
  const every = Array.from({ length: options.fragmentCount }, (_, index) => 2 * index * blockSizeBytes)
  for (let start = 0; start < every.length; start += 1000) {
    writeAt(at('fragmented'), every.slice(start, start + 1000))
  }
  linkSync(at('large'), at('large, by another name'))
  chownSync(at('large'), 70_000, 4_000_000_000)
  if (!options.hasExtents) return
  const words = ['falloc 0 2m', 'pwrite -q 512k 100k', 'falloc -k 2m 3m', 'fpunch 600k 8k']
  writeFileSync(at('unwritten'), '')
  runTool('xfs_io', [...words.flatMap((word) => ['-c', word]), at('unwritten')])
}

function writeAt(path: string, offsets: readonly number[]): void {
  writeFileSync(path, '', { flag: 'a' })
  runTool('xfs_io', [
    ...offsets.flatMap((offset, index) => ['-c', `pwrite -q -S ${(index % 250) + 1} ${offset} 700`]),
    path,
  ])
}

function writeDirectories(folder: string, { entryCount }: Ext4TreeOptions): void {
  mkdirSync(`${folder}/targets`)
  for (const [name, count] of Object.entries({ small: 3, 'some blocks': 300, large: entryCount })) {
    mkdirSync(`${folder}/${name}`)
    for (let index = 0; index < count; index += 1) {
      // A file has at most 65,000 names.
      const target = `${folder}/targets/${name} ${Math.floor(index / 30_000)}`
      if (index % 30_000 === 0) writeFileSync(target, target)
      linkSync(target, `${folder}/${name}/entry ${index} ${'n'.repeat(name === 'large' ? 200 : index % 23)}`)
    }
  }
  const middle = Array.from({ length: Math.floor(entryCount / 4) }, (_, index) => index + entryCount / 4)
  runTool('xargs', ['-0', 'rm', '-f', '--'], {
    input: middle.map((index) => `${folder}/large/entry ${Math.floor(index)} ${'n'.repeat(200)}\0`).join(''),
  })
  writeOddNames(folder)
}

function writeLinks(folder: string): void {
  const at = (name: string): string => `${folder}/${name}`
  for (const length of [1, 59, 60, 61, 150, 300, 1000])
    symlinkSync('s'.repeat(length), at(`link of ${length}`))
}

function writeAttributes(folder: string, { attributeBytes }: Ext4TreeOptions): void {
  mkdirSync(`${folder}/attributes`)
  const at = (name: string): string => `${folder}/attributes/${name}`
  const lines: string[] = []
  const add = (file: string, attributes: readonly string[]): void => {
    writeFileSync(at(file), file)
    lines.push(`# file: ${at(file)}`, ...attributes, '')
  }
  add('small', [
    `user.a=${anyValue(3)}`,
    'user.empty=""',
    `trusted.b=${anyValue(5)}`,
    `security.c=${anyValue(7)}`,
  ])
  const count = Math.min(20, Math.floor(attributeBytes / 60))
  const many = Array.from({ length: count }, (_, index) => `user.many${index}=${anyValue(index)}`)
  add('many', many)
  add('large', [`user.large=${anyValue(Math.min(60_000, attributeBytes))}`, `user.x=${anyValue(30)}`])
  if (attributeBytes > 4096) {
    add(
      'several large',
      ['a', 'b', 'c'].map((name) => `user.${name}=${anyValue(attributeBytes / 4)}`),
    )
    add('same value', [`user.first=0x${'5a'.repeat(5000)}`])
    add('same value again', [`user.second=0x${'5a'.repeat(5000)}`])
  }
  runTool('setfattr', ['--restore=-'], { input: lines.join('\n') })
  writeAccessLists(`${folder}/attributes`, Math.min(attributeBytes, 600))
  runTool('setfattr', ['-h', '-n', 'trusted.of-link', '-v', anyValue(9), `${folder}/special/link of 59`])
  runTool('setfattr', ['-h', '-n', 'trusted.of-fifo', '-v', anyValue(200), `${folder}/special/fifo`])
}
