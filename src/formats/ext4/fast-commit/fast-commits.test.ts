import assert from 'node:assert/strict'
import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  rmdirSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { test } from 'node:test'

import { fileImage } from '../../../../test/support/bytes-image.ts'
import { dirtyExt4, recoveredByKernel, withoutFolderDetails } from '../../../../test/support/dirty-ext4.ts'
import { FastCommitFiles } from '../../../../test/support/fast-commit-files.ts'
import { readFormatTree, type FileTree } from '../../../../test/support/file-tree.ts'
import { needsLoopDevices } from '../../../../test/support/requirements.ts'
import { runTool } from '../../../../test/support/run-tool.ts'
import { seededRandomness } from '../../../../test/support/seeded-randomness.ts'
import { temporaryFolder } from '../../../../test/support/temporary-folder.ts'
import type { Finding } from '../../finding.ts'
import { readGroupDescriptors } from '../group-descriptors.ts'
import { recoverVolume, type Recovery } from '../journal/recover-volume.ts'
import { openExt4 } from '../open-ext4.ts'
import { readSuperblock } from '../read-superblock.ts'

const SYSTEM = { skip: needsLoopDevices() }

/** What is in the journal of an image, before it is done again. */
async function recoveryOf(path: string): Promise<Recovery> {
  await using image = fileImage(path)
  const { superblock, isBackup } = await readSuperblock(image, ignore)
  const descriptors = await readGroupDescriptors(image, superblock, ignore)
  return await recoverVolume({ image, superblock, descriptors, report: ignore }, isBackup)
}

function ignore(): void {}

async function readTree(path: string): Promise<{ tree: FileTree; findings: readonly Finding[] }> {
  await using image = fileImage(path)
  const fileSystem = await openExt4(image)
  assert.deepEqual(fileSystem.allocation, { proven: false, reason: 'its journal needs recovery' })
  return { tree: await readFormatTree(fileSystem, image), findings: fileSystem.findings }
}

/** Writes a file and syncs it. */
function writeSynced(path: string, content: string, flags = 'w'): void {
  const file = openSync(path, flags)
  writeSync(file, content)
  fsyncSync(file)
  closeSync(file)
}

/** File by file, so that what is printed is short. */
function assertSameFiles(found: FileTree, expected: FileTree): void {
  assert.deepEqual([...found.keys()].toSorted(), [...expected.keys()].toSorted())
  const files = withoutFolderDetails(expected)
  for (const [path, file] of Object.entries(withoutFolderDetails(found))) {
    assert.deepEqual(file, files[path], `of "${path}"`)
  }
}

const FORMS: readonly string[] = [
  '',
  '-b 4096',
  '-O ^metadata_csum -I 128',
  '-O orphan_file,metadata_csum_seed,^64bit',
]

function wordsOf(line: string): string[] {
  return line.split(' ').filter((word) => word !== '')
}

/** How many fast commits each of the images below has. */
const counts: number[] = []

/** Changes files at random, beginning and ending behind a sync. */
function changeAtRandom(mountPoint: string, seed: number, hasAttributes: boolean): FastCommitFiles {
  const random = seededRandomness(seed)
  const files = new FastCommitFiles(mountPoint, seed)
  files.begin()
  if (hasAttributes) files.addAttributes()
  runTool('sync', ['--file-system', mountPoint])
  files.sync()
  const count = 10 + random.below(80)
  for (let index = 0; index < count; index += 1) {
    files.change()
    if (random.below(3) === 0) files.sync()
  }
  return files
}

for (let seed = 1; seed <= 24; seed += 1) {
  const words = FORMS[seed % FORMS.length] ?? ''
  const title = 'openExt4() shows what a mount shows after fast commits, at a random moment'
  test(`${title}: seed ${seed} ${words}`, SYSTEM, async () => {
    using folder = temporaryFolder()
    const { path } = dirtyExt4(folder, ['-O', 'fast_commit', ...wordsOf(words)], (mountPoint) => {
      // Without attributes: a mount gives those of a file that was removed to the next one with its number.
      changeAtRandom(mountPoint, seed, false)
    })
    const { tree, findings } = await readTree(path)
    assertSameFiles(tree, recoveredByKernel(folder, path))
    assert.deepEqual(findings, [])
    counts.push((await recoveryOf(path)).fastCommits.length)
  })
}

/** With some of these the kernel cannot do its own fast commits again; what was synced is the truth. */
const SYNCED_FORMS: readonly string[] = ['', '-O bigalloc -C 16384 -b 4096', '-O inline_data']
for (let seed = 101; seed <= 109; seed += 1) {
  const words = SYNCED_FORMS[seed % SYNCED_FORMS.length] ?? ''
  test(`openExt4() shows all that was synced in fast commits: seed ${seed} ${words}`, SYSTEM, async () => {
    using folder = temporaryFolder()
    const { path, live } = dirtyExt4(folder, ['-O', 'fast_commit', ...wordsOf(words)], (mountPoint) => {
      changeAtRandom(mountPoint, seed, true).syncAll()
    })
    const { tree, findings } = await readTree(path)
    assertSameFiles(tree, live)
    assert.deepEqual(findings, [])
    counts.push((await recoveryOf(path)).fastCommits.length)
  })
}

// Some moments are just behind a commit of all.
test('the images above have fast commits, nearly all of them', SYSTEM, () => {
  assert(counts.filter((count) => count > 0).length >= 25, `found ${counts.join(', ')}`)
})

/** Changes that the kernel makes a fast commit of, but does not do again, or refuses to mount for. */
const LIVE: Readonly<Record<string, (mountPoint: string) => void>> = {
  'a directory with the number of one that was removed': (mountPoint) => {
    rmdirSync(`${mountPoint}/empty`)
    writeSynced(`${mountPoint}/file`, 'again')
    const { ino } = statSync(`${mountPoint}/file`)
    mkdirSync(`${mountPoint}/made since`)
    writeSynced(`${mountPoint}/made since/file`, `in a directory, ${ino}`)
  },
  'a file that was removed while it was open': (mountPoint) => {
    const file = openSync(`${mountPoint}/removed`, 'w')
    writeSync(file, 'nobody sees this')
    rmSync(`${mountPoint}/removed`)
    writeSynced(`${mountPoint}/file`, 'again')
    fsyncSync(file)
    writeSynced(`${mountPoint}/file`, 'and again')
    closeSync(file)
  },
  'content that moved out of its inode': (mountPoint) => {
    writeSynced(`${mountPoint}/moved`, 'short')
    writeSynced(`${mountPoint}/moved`, 'long '.repeat(2000), 'r+')
  },
  'directories in directories': (mountPoint) => {
    mkdirSync(`${mountPoint}/one/zwölf/三`, { recursive: true })
    writeSynced(`${mountPoint}/one/zwölf/三/file`, 'deep')
    rmSync(`${mountPoint}/one`, { recursive: true })
    mkdirSync(`${mountPoint}/one/vier €`, { recursive: true })
    writeSynced(`${mountPoint}/one/vier €/file`, 'deeper')
  },
}
for (const [what, change] of Object.entries(LIVE)) {
  test(`openExt4() shows what was synced in fast commits: ${what}`, SYSTEM, async () => {
    using folder = temporaryFolder()
    const feature = what.startsWith('content') ? 'fast_commit,inline_data' : 'fast_commit'
    const { path, live } = dirtyExt4(folder, ['-O', feature], (mountPoint) => {
      mkdirSync(`${mountPoint}/empty`)
      writeFileSync(`${mountPoint}/moved`, 'inline')
      writeFileSync(`${mountPoint}/file`, 'content')
      runTool('sync', ['--file-system', mountPoint])
      writeSynced(`${mountPoint}/file`, 'content', 'a')
      change(mountPoint)
    })
    const { tree, findings } = await readTree(path)
    assertSameFiles(tree, live)
    assert.deepEqual(findings, [])
    assert((await recoveryOf(path)).fastCommits.length > 0)
  })
}
