import { closeSync, linkSync, mkdirSync, openSync, symlinkSync, writeFileSync, writeSync } from 'node:fs'

import { runTool } from '../../test/support/run-tool.ts'

/** A tree with every form of file and directory, small enough that a walk takes milliseconds. */
export function fillTree(folder: string): void {
  writeFileSync(`${folder}/small`, 'small')
  writeFileSync(`${folder}/large`, new Uint8Array(300_000).fill(7))
  writePieces(`${folder}/pieces`, 400)
  for (const [name, count] of Object.entries({ few: 4, some: 20, many: 60 })) {
    mkdirSync(`${folder}/${name}`)
    for (let index = 0; index < count; index += 1) {
      linkSync(`${folder}/small`, `${folder}/${name}/${index} ${'n'.repeat(40 + ((index * 31) % 190))}`)
    }
  }
  mkdirSync(`${folder}/tiny`)
  for (const name of ['a', 'bc', 'def']) linkSync(`${folder}/small`, `${folder}/tiny/${name}`)
  symlinkSync('small', `${folder}/link`)
  symlinkSync('l'.repeat(500), `${folder}/long link`)
  for (const [name, lengths] of Object.entries({ short: [5], block: [200, 300], remote: [700] })) {
    const path = `${folder}/attributes ${name}`
    writeFileSync(path, name)
    for (const [index, length] of lengths.entries()) {
      runTool('setfattr', ['-n', `user.a${index}`, '-v', 'v'.repeat(length), path], {
        allowedExitCodes: [0, 1],
      })
    }
  }
}

/** Every second block of a file is a hole, so that its map needs a tree. */
function writePieces(path: string, count: number): void {
  const file = openSync(path, 'w')
  try {
    for (let index = 0; index < count; index += 1) writeSync(file, `piece ${index}`, 8192 * index)
  } finally {
    closeSync(file)
  }
}
