import { randomBytes } from 'node:crypto'
import { chownSync, linkSync, mkdirSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'

import { runTool } from './run-tool.ts'

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

const INVALID_UTF8 = Buffer.of(0xff, 0xfe, 0x80, 0x20, 0xc3)

/** Fills a mounted ext2, ext3 or ext4 with files of every form that the format has for them. */
export function fillExt4(folder: string, options: Ext4TreeOptions): void {
  writeFiles(folder, options)
  writeDirectories(folder, options)
  writeSpecialFiles(folder)
  writeAttributes(folder, options)
  writeTimes(folder)
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
  mkdirSync(`${folder}/short`)
  writeFileSync(`${folder}/short/${'l'.repeat(255)}`, 'long name')
  mkdirSync(`${folder}/bytes`)
  for (const name of [INVALID_UTF8, Buffer.from('ü€😀'), Buffer.from('new\nline'), Buffer.from('...')]) {
    writeFileSync(Buffer.concat([Buffer.from(`${folder}/bytes/`), name]), name)
  }
}

function writeSpecialFiles(folder: string): void {
  mkdirSync(`${folder}/special`)
  const at = (name: string): string => `${folder}/special/${name}`
  runTool('mknod', [at('block'), 'b', '259', '70000'])
  runTool('mknod', [at('old block'), 'b', '8', '17'])
  runTool('mknod', [at('character'), 'c', '1', '3'])
  runTool('mkfifo', [at('fifo')])
  const listen = `require('node:net').createServer().listen(${JSON.stringify(at('socket'))}, () => process.exit())`
  runTool(process.execPath, ['-e', listen])
  for (const length of [1, 59, 60, 61, 150, 300, 1000])
    symlinkSync('s'.repeat(length), at(`link of ${length}`))
  writeFileSync(at('set-id'), '')
  runTool('chmod', ['6751', at('set-id')])
  mkdirSync(at('sticky'))
  runTool('chmod', ['1777', at('sticky')])
}

function writeAttributes(folder: string, { attributeBytes }: Ext4TreeOptions): void {
  mkdirSync(`${folder}/attributes`)
  const at = (name: string): string => `${folder}/attributes/${name}`
  const lines: string[] = []
  const add = (file: string, attributes: readonly string[]): void => {
    writeFileSync(at(file), file)
    lines.push(`# file: ${at(file)}`, ...attributes, '')
  }
  add('small', [`user.a=${value(3)}`, 'user.empty=""', `trusted.b=${value(5)}`, `security.c=${value(7)}`])
  const count = Math.min(20, Math.floor(attributeBytes / 60))
  const many = Array.from({ length: count }, (_, index) => `user.many${index}=${value(index)}`)
  add('many', many)
  add('large', [`user.large=${value(Math.min(60_000, attributeBytes))}`, `user.x=${value(30)}`])
  if (attributeBytes > 4096) {
    add(
      'several large',
      ['a', 'b', 'c'].map((name) => `user.${name}=${value(attributeBytes / 4)}`),
    )
    add('same value', [`user.first=0x${'5a'.repeat(5000)}`])
    add('same value again', [`user.second=0x${'5a'.repeat(5000)}`])
  }
  runTool('setfattr', ['--restore=-'], { input: lines.join('\n') })
  for (const name of ['list', 'list with much else']) {
    writeFileSync(at(name), '')
    runTool('setfacl', ['-m', 'u:1000:rw,g:70000:r,g:5:x,m::rwx', at(name)])
  }
  runTool('setfattr', [
    '-n',
    'user.much',
    '-v',
    value(Math.min(attributeBytes, 600)),
    at('list with much else'),
  ])
  mkdirSync(at('default list'))
  runTool('setfacl', ['-d', '-m', 'u:12:rwx,o::-', at('default list')])
  runTool('setfattr', ['-h', '-n', 'trusted.of-link', '-v', value(9), `${folder}/special/link of 59`])
  runTool('setfattr', ['-h', '-n', 'trusted.of-fifo', '-v', value(200), `${folder}/special/fifo`])
}

function value(length: number): string {
  return `0x${randomBytes(length).toString('hex')}`
}

function writeTimes(folder: string): void {
  mkdirSync(`${folder}/times`)
  const times = {
    'before 1970': '1955-11-05 06:15:00.123456789',
    earliest: '1901-12-13 20:45:53',
    'after 2038': '2040-02-29 12:00:00.999999999',
    latest: '2446-05-10 22:38:55.987654321',
  }
  for (const [name, time] of Object.entries(times)) {
    runTool('touch', ['-d', `${time} UTC`, `${folder}/times/${name}`])
  }
}
