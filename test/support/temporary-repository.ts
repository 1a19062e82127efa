import assert from 'node:assert/strict'
import { existsSync, readdirSync } from 'node:fs'
import * as v from 'valibot'

import { runIcecore, type IcecoreOptions, type IcecoreResult } from './run-icecore.ts'
import { temporaryFolder, type TemporaryFolder } from './temporary-folder.ts'

const PASSWORD = 'correct horse battery staple'

const backupSchema = v.object({
  pointId: v.string(),
  lineage: v.string(),
  objects: v.array(
    v.object({
      name: v.string(),
      sizeBytes: v.number(),
      allocatedBytes: v.number(),
      readBytes: v.number(),
      zeroBytes: v.number(),
      changedBytes: v.number(),
      newChunkCount: v.number(),
      reusedChunkCount: v.number(),
      freeBytes: v.nullable(v.number()),
      volumes: v.array(v.object({ name: v.string(), format: v.string(), reason: v.nullable(v.string()) })),
    }),
  ),
  storedBytes: v.number(),
  requested: v.object({ mode: v.string(), transport: v.string() }),
  done: v.object({ mode: v.string(), transport: v.string() }),
  degraded: v.array(v.object({ code: v.string(), message: v.string() })),
})
export type BackupJson = v.InferOutput<typeof backupSchema>

const restoreSchema = v.object({
  pointId: v.string(),
  object: v.string(),
  sizeBytes: v.number(),
  writtenBytes: v.number(),
  zeroedBytes: v.number(),
  keptBytes: v.number(),
})
export type RestoreJson = v.InferOutput<typeof restoreSchema>

const pointsSchema = v.array(v.object({ id: v.string(), lineage: v.string(), mode: v.string() }))
export type PointJson = v.InferOutput<typeof pointsSchema>[number]

const problemSchema = v.object({ code: v.string(), message: v.string(), points: v.array(v.unknown()) })
const checkSchema = v.object({ ok: v.boolean(), problems: v.array(problemSchema) })
export type CheckJson = v.InferOutput<typeof checkSchema>

const errorSchema = v.object({
  error: v.object({ code: v.string(), message: v.string(), data: v.record(v.string(), v.unknown()) }),
})

/** A repository in a folder of its own, used through the command line as a person or a script uses it. */
export type TemporaryRepository = Disposable & {
  readonly folder: TemporaryFolder
  readonly path: string
  /** Of an encrypted one: the file that holds its recovery key. */
  readonly recoveryKeyPath: string
  /** Where the disposable copy of the index lies. */
  readonly cachePath: string
  readonly environment: Readonly<Record<string, string>>
  /** Any command, with `--repo`, the password and the cache folder set. */
  run(words: readonly string[], options?: IcecoreOptions): Promise<IcecoreResult>
  /** `icecore backup …`, which must end with `exitCode`, 0 by default. */
  backup(words: readonly string[], exitCode?: number): Promise<BackupJson>
  restore(words: readonly string[]): Promise<RestoreJson>
  points(): Promise<readonly PointJson[]>
  /** `icecore check`; the result says whether it is ok. */
  check(words?: readonly string[]): Promise<CheckJson>
  /** Throws unless the command is refused so, for people and, once more, with `--json`. */
  assertRefuses(words: readonly string[], expected: ExpectedRefusal): Promise<void>
  /** Throws unless `check --data` finds every byte right. */
  assertWhole(): Promise<void>
  /** The names of all files below a folder of the repository, such as `packs`, ascending. */
  files(folder: string): string[]
}

export type TemporaryRepositoryOptions = {
  /** Default false: to stretch a password takes most of a small command's time. */
  readonly encrypted?: boolean
  /** Words for `icecore init`; by default chunks have 64 KiB, whatever the program's own default is. */
  readonly init?: readonly string[]
  /** Where the repository is made; by default in a folder of its own. */
  readonly path?: string
}

/** Makes a repository; it goes away at the end of the block. */
export async function temporaryRepository(
  options: TemporaryRepositoryOptions = {},
): Promise<TemporaryRepository> {
  const folder = temporaryFolder()
  const path = options.path ?? folder.join('repository')
  const cachePath = folder.join('cache')
  const password = options.encrypted === true ? { ICECORE_PASSWORD: PASSWORD } : {}
  const environment = { ICECORE_REPOSITORY: path, XDG_CACHE_HOME: cachePath, ...password }
  const run = async (words: readonly string[], more: IcecoreOptions = {}): Promise<IcecoreResult> =>
    await runIcecore(words, { ...more, environment: { ...environment, ...more.environment } })
  const keys = options.encrypted === true ? ['--recovery-key-file', folder.join('key')] : ['--no-encryption']
  const made = await run(['init', ...keys, ...(options.init ?? ['--chunk-size', '64KiB'])])
  assert.equal(made.exitCode, 0, made.stderr)
  const runJson = async <Schema extends v.GenericSchema>(
    schema: Schema,
    words: readonly string[],
    exitCodes: readonly number[] = [0],
  ): Promise<v.InferOutput<Schema>> => {
    const result = await run([...words, '--json'])
    const ending = `${words.join(' ')} ended with ${result.exitCode}: ${result.stdout}${result.stderr}`
    assert.ok(result.exitCode !== null && exitCodes.includes(result.exitCode), ending)
    return v.parse(schema, result.json)
  }
  const check = (words: readonly string[] = []): Promise<CheckJson> =>
    runJson(checkSchema, ['check', ...words], [0, 6])
  return {
    folder,
    path,
    recoveryKeyPath: folder.join('key'),
    cachePath,
    environment,
    run,
    check,
    backup: (words, exitCode = 0) => runJson(backupSchema, ['backup', ...words], [exitCode]),
    restore: (words) => runJson(restoreSchema, ['restore', ...words]),
    points: () => runJson(pointsSchema, ['points']),
    async assertWhole() {
      const found = await check(['--data'])
      assert.ok(found.ok, JSON.stringify(found.problems, null, 2))
    },
    async assertRefuses(words, expected) {
      assertRefused(await run(words), expected)
      assertRefused(await run([...words, '--json']), expected)
    },
    files(name) {
      const folderPath = `${path}/${name}`
      if (!existsSync(folderPath)) return []
      const entries = readdirSync(folderPath, { recursive: true, withFileTypes: true })
      return entries
        .filter((entry) => entry.isFile())
        .map((entry) => `${entry.parentPath}/${entry.name}`)
        .toSorted()
    },
    [Symbol.dispose]: () => folder[Symbol.dispose](),
  }
}

export type ExpectedRefusal = {
  readonly exitCode: number
  readonly code: string
  readonly message: RegExp
  /** Fields that the error's data must have. */
  readonly data?: Readonly<Record<string, unknown>>
}

/**
 * Asserts that a command failed as its user should see it. With `--json` that is one document with code and data;
 * without, it is one sentence, at most one hint, and no stack.
 */
export function assertRefused(result: IcecoreResult, expected: ExpectedRefusal): void {
  const ending = `exit code ${result.exitCode}: ${result.stdout}${result.stderr}`
  assert.equal(result.exitCode, expected.exitCode, ending)
  if (result.json === undefined) {
    const lines = result.stderr.trimEnd().split('\n')
    const at = lines.findIndex((line) => line.startsWith('icecore: '))
    assert.ok(at >= 0 && lines.length - at <= 2, `one sentence and at most one hint, ${ending}`)
    assert.match(lines[at] ?? '', expected.message, ending)
    assert.equal(result.stdout, '')
    return
  }
  const { error } = v.parse(errorSchema, result.json)
  assert.equal(error.code, expected.code, ending)
  assert.match(error.message, expected.message, ending)
  assert.doesNotMatch(error.message, /\n/, ending)
  for (const [name, value] of Object.entries(expected.data ?? {})) {
    assert.deepEqual(error.data[name], value, `${name} of ${ending}`)
  }
}
