import { existsSync } from 'node:fs'
import { join } from 'node:path'
import * as v from 'valibot'
import type { Command } from '../measure.ts'
import { sizeBytesOf } from '../page-cache.ts'
import type { Peer } from './peer.ts'

export type IcecoreSettings = {
  /** The program's main file. */
  readonly cli: string
  readonly name?: string
  readonly chunkSize?: string
  readonly compression?: string
  /** Codecs of Node's own API alone. */
  readonly isPortable?: boolean
  /** Reads only what the file system says is in use; otherwise all of the image, as the other programs do. */
  readonly leavesFreeOut?: boolean
  /** A folder of the file system in the image: only what is in it is stored. */
  readonly folder?: string
}

export type Icecore = Peer & {
  readonly restore: NonNullable<Peer['restore']>
  /** Reads and verifies every byte. */
  checkData(state: string): Command
  /** Every path of the file system in the latest point. */
  listFiles(state: string): Command
  /** Which files differ between two points, by their ids. */
  diffFiles(state: string, before: string, after: string): Command
}

/** Done, but not in the way that was asked for: measured all the same, and said in the notes. */
const EXIT_CODE_DEGRADED = 3

export function icecore(settings: IcecoreSettings): Icecore {
  const run = (state: string, args: readonly string[]): Command => icecoreCommand(settings, state, args)
  return {
    name: settings.name ?? 'icecore',
    tools: [],
    prepare: (state) => [
      // Into the state, since the program finds its password there.
      { argv: ['bash', '-c', 'mkdir -p "$1" && echo bench password > "$1/password"', 'bash', state] },
      run(state, [
        'init',
        repositoryIn(state),
        '--recovery-key-file',
        join(state, 'recovery-key'),
        ...initArgs(settings),
      ]),
    ],
    backUp: ({ state, source, changeList }) => {
      const changes = changeList === undefined ? [] : ['--changes', changeList]
      const args = [
        'backup',
        source,
        '-r',
        repositoryIn(state),
        '--name',
        'vol',
        '--json',
        '--no-progress',
        ...extentArgs(settings),
        ...changes,
      ]
      return { ...run(state, args), acceptedExitCodes: [0, EXIT_CODE_DEGRADED] }
    },
    restore: ({ state, target }) => {
      const restoredFile = join(target, 'volume.img')
      const args = ['restore', 'latest', '-r', repositoryIn(state), '--to', restoredFile, '--no-progress']
      return { command: run(state, args), restoredFile }
    },
    checkData: (state) =>
      run(state, ['check', '--data', '-r', repositoryIn(state), '--json', '--no-progress']),
    listFiles: (state) => run(state, ['ls', 'latest', '-R', '-r', repositoryIn(state), '--no-progress']),
    diffFiles: (state, before, after) =>
      run(state, ['diff', before, after, '--files', '-r', repositoryIn(state), '--no-progress']),
  }
}

function repositoryIn(state: string): string {
  return join(state, 'repo')
}

function extentArgs({ folder, leavesFreeOut }: IcecoreSettings): string[] {
  if (folder !== undefined) return ['--path', folder]
  return leavesFreeOut === true ? [] : ['--whole']
}

function initArgs(settings: IcecoreSettings): string[] {
  const chunkSize = settings.chunkSize === undefined ? [] : ['--chunk-size', settings.chunkSize]
  const compression = settings.compression === undefined ? [] : ['--compression', settings.compression]
  return [...chunkSize, ...compression]
}

function icecoreCommand(settings: IcecoreSettings, state: string, args: readonly string[]): Command {
  return {
    argv: [process.execPath, settings.cli, ...args],
    env: {
      ICECORE_PASSWORD_FILE: join(state, 'password'),
      XDG_CACHE_HOME: join(state, 'cache'),
      XDG_CONFIG_HOME: join(state, 'config'),
      ...(settings.isPortable === true ? { ICECORE_NATIVE: 'off' } : {}),
    },
  }
}

const BackUpResult = v.object({
  objects: v.array(v.object({ newChunkCount: v.number(), reusedChunkCount: v.number() })),
  degraded: v.array(v.object({ code: v.string(), message: v.string() })),
})

export type IcecoreFindings = {
  readonly chunkCount?: number
  readonly indexBytes?: number
  readonly note?: string
}

/**
 * What only icecore tells about a run: the result of `icecore backup --json` and the index in the repository. Of
 * another program's output: nothing.
 */
export function findingsOf(stdout: string, repository: string): IcecoreFindings {
  if (!stdout.startsWith('{')) return {}
  const result = v.parse(BackUpResult, JSON.parse(stdout))
  const chunkCount = result.objects.reduce((sum, object) => sum + object.newChunkCount, 0)
  const index = join(repository, 'index')
  const indexBytes = existsSync(index) ? sizeBytesOf(index) : 0
  const reasons = result.degraded.map((reason) => `degraded: ${reason.code}: ${reason.message}`)
  return { chunkCount, indexBytes, ...(reasons.length === 0 ? {} : { note: reasons.join('; ') }) }
}
