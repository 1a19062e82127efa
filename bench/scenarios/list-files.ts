import { closeSync, mkdirSync, openSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Bench, Row, Scenario } from '../bench.ts'
import { runTool } from '../data/run-tool.ts'
import { measureAlone, type Work } from '../pairs.ts'
import { icecore, type Icecore } from '../peers/icecore.ts'
import { median } from '../statistics.ts'

const SCENARIO = 'list-files'
const FOLDER_COUNT = 1000
const FILES_PER_FOLDER = 100
const IMAGE_BYTES = 1024 ** 3
/** Bytes a possible inode: enough for all files. */
const BYTES_PER_INODE = '4096'

export const LIST_FILES: Scenario = {
  name: SCENARIO,
  summary: '`ls -R` of 100,000 files of an ext4 in a repository',
  run: measureListing,
}

async function measureListing(bench: Bench): Promise<Row[]> {
  const own = icecore({ cli: bench.cli, name: 'icecore 100,000 files' })
  const image = writeImage(bench.scratchFolder)
  const state = await bench.states.fresh(own)
  const once = { ...bench, repeatCount: 1 }
  await measureAlone(once, SCENARIO, {
    program: `${own.name}, backup`,
    tools: own.tools,
    begin: () => Promise.resolve(own.backUp({ state, source: image, run: 'first' })),
    finish: () => ({}),
  })
  const runs = await measureAlone(bench, SCENARIO, listing(own, state))
  bench.states.drop(own, 'all')
  rmSync(image)
  return [
    {
      work: '`ls -R` of 100,000 files from a repository',
      against: '–',
      quantity: 'wall time',
      asked: 'under 10 s',
      unit: 's',
      measured: median(runs.map((run) => run.wallMs)) / 1000,
    },
  ]
}

function listing(own: Icecore, state: string): Work {
  return {
    program: `${own.name}, ls -R`,
    tools: own.tools,
    begin: () => Promise.resolve(own.listFiles(state)),
    finish: ({ stdout }) => {
      const count = stdout.split('\n').length - 1
      if (count < FOLDER_COUNT * (FILES_PER_FOLDER + 1)) throw new Error(`Cannot list: only ${count} files`)
      return {}
    },
  }
}

/** Folders of small files, in an order of names that is not that of their inodes. */
function writeImage(scratchFolder: string): string {
  const tree = join(scratchFolder, 'many-files')
  for (let folder = 0; folder < FOLDER_COUNT; folder += 1) {
    const path = join(tree, `folder-${folder}`)
    mkdirSync(path, { recursive: true })
    for (let file = 0; file < FILES_PER_FOLDER; file += 1) {
      writeFileSync(join(path, `file-${(file * 37) % FILES_PER_FOLDER}-of-${folder}`), String(file))
    }
  }
  const image = join(scratchFolder, 'many-files.img')
  closeSync(openSync(image, 'w'))
  truncateSync(image, IMAGE_BYTES)
  runTool('mke2fs', ['-q', '-F', '-t', 'ext4', '-i', BYTES_PER_INODE, '-d', tree, image])
  rmSync(tree, { recursive: true })
  return image
}
