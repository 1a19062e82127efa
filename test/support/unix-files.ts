// Files that every file system of Unix has a form for; what is special to a format stands beside its own files.
import { randomBytes } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'

import { runTool } from './run-tool.ts'

const INVALID_UTF8 = Buffer.of(0xff, 0xfe, 0x80, 0x20, 0xc3)

/** In `short`, the longest name; in `bytes`, names that are no text. */
export function writeOddNames(folder: string): void {
  mkdirSync(`${folder}/short`)
  writeFileSync(`${folder}/short/${'l'.repeat(255)}`, 'long name')
  mkdirSync(`${folder}/bytes`)
  for (const name of [INVALID_UTF8, Buffer.from('ü€😀'), Buffer.from('new\nline'), Buffer.from('...')]) {
    writeFileSync(Buffer.concat([Buffer.from(`${folder}/bytes/`), name]), name)
  }
}

/** Makes `folder` with devices, a FIFO, a socket, and what has more than the usual bits of a mode. */
export function writeSpecialFiles(folder: string): void {
  mkdirSync(folder)
  const at = (name: string): string => `${folder}/${name}`
  runTool('mknod', [at('block'), 'b', '259', '70000'])
  runTool('mknod', [at('character'), 'c', '1', '3'])
  runTool('mkfifo', [at('fifo')])
  const listen = `require('node:net').createServer().listen(${JSON.stringify(at('socket'))}, () => process.exit())`
  runTool(process.execPath, ['-e', listen])
  writeFileSync(at('set-id'), '')
  runTool('chmod', ['6751', at('set-id')])
  mkdirSync(at('sticky'))
  runTool('chmod', ['1777', at('sticky')])
}

/** Files with access lists in `folder`, one of them with `muchBytes` in an attribute beside it. */
export function writeAccessLists(folder: string, muchBytes: number): void {
  const at = (name: string): string => `${folder}/${name}`
  for (const name of ['list', 'list with much else']) {
    writeFileSync(at(name), '')
    runTool('setfacl', ['-m', 'u:1000:rw,g:70000:r,g:5:x,m::rwx', at(name)])
  }
  runTool('setfattr', ['-n', 'user.much', '-v', anyValue(muchBytes), at('list with much else')])
  mkdirSync(at('default list'))
  runTool('setfacl', ['-d', '-m', 'u:12:rwx,o::-', at('default list')])
}

/** Makes `times` with a file at each end of what a format can say; `latest` is its own. */
export function writeTimes(folder: string, latest: string): void {
  mkdirSync(`${folder}/times`)
  const times = {
    'before 1970': '1955-11-05 06:15:00.123456789',
    earliest: '1901-12-13 20:45:53',
    'after 2038': '2040-02-29 12:00:00.999999999',
    latest,
  }
  for (const [name, time] of Object.entries(times)) {
    runTool('touch', ['-d', `${time} UTC`, `${folder}/times/${name}`])
  }
}

/** Random bytes as `setfattr` takes them. */
export function anyValue(length: number): string {
  return `0x${randomBytes(length).toString('hex')}`
}
