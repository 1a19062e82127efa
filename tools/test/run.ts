import { fileURLToPath } from 'node:url'
import { run } from 'node:test'
import { spec } from 'node:test/reporters'

import {
  installLine,
  installPackages,
  mayInstallPackages,
  missingPackages,
  pathWithSystemFolders,
} from './debian-packages.ts'
import { buildProgram } from '../build/build-program.ts'
import { BUILT_FOLDER } from '../build/built-program.ts'
import { compiledCodeFolder } from './compiled-code.ts'
import { fetchUmlKernel } from '../lab/uml-kernel.ts'
import { inTurn, isLongTest, longTestsLeftOut, testFiles } from './test-files.ts'
import { TestTally } from './test-tally.ts'
import { UnfinishedTests } from './unfinished-tests.ts'

const FILES_AT_ONCE = 2
const MINUTE_MS = 60_000
/** Many times what the longest takes: a test that hangs fails, and the others still run. */
const TEST_TIMEOUT_MS = 15 * MINUTE_MS
/** Of files that are known to take many minutes. */
const LONG_TEST_TIMEOUT_MS = 180 * MINUTE_MS
/** Of everything that is run without a selection. */
const RUN_TIMEOUT_MS = 60 * MINUTE_MS
const END_OF_FILE = ['--import', new URL('end-of-test-file.ts', import.meta.url).href]
const root = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '')

const isSelection = process.argv.length > 2
const files = selectedFiles(process.argv.slice(2))
if (files !== undefined && prepare()) {
  if (files.some((path) => path.startsWith('test/lab/'))) await prepareLab()
  await runTests(files)
} else {
  process.exitCode = 1
}

function selectedFiles(selections: readonly string[]): string[] | undefined {
  try {
    return testFiles(root, selections)
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    console.error(error.message)
    return undefined
  }
}

/** Makes this process's environment the one that every test gets; false when tools are missing. */
function prepare(): boolean {
  process.chdir(root)
  for (const name of Object.keys(process.env)) {
    // A user's own settings; but where the corpus lies is a setting of the tests.
    if (name.startsWith('ICECORE_') && name !== 'ICECORE_CORPUS') Reflect.deleteProperty(process.env, name)
  }
  process.env['NODE_COMPILE_CACHE'] ??= compiledCodeFolder()
  const path = pathWithSystemFolders(process.env['PATH'])
  process.env['PATH'] = path
  const missing = missingPackages(path)
  if (missing.length === 0) return true
  if (!mayInstallPackages()) {
    console.error(`The tests need Debian packages that are missing. As root:\n\n  ${installLine(missing)}\n`)
    return false
  }
  console.log(`The tests need Debian packages that are missing; installing: ${missing.join(' ')}`)
  if (installPackages(missing) && missingPackages(path).length === 0) return true
  console.error(`Cannot install the packages. Try:\n\n  ${installLine(missing)}\n`)
  return false
}

/** Once for all tests that start virtual machines; where there is no kernel, they are listed with the reason. */
async function prepareLab(): Promise<void> {
  await buildProgram(BUILT_FOLDER)
  try {
    fetchUmlKernel()
  } catch (error) {
    process.env['ICECORE_LAB_MISSING'] =
      `needs the lab's kernel: ${error instanceof Error ? error.message : String(error)}`
  }
}

async function runTests(paths: readonly string[]): Promise<void> {
  const tally = new TestTally(root)
  const unfinished = new UnfinishedTests(root)
  const limit = isSelection ? undefined : setTimeout(() => giveUp(tally, unfinished), RUN_TIMEOUT_MS)
  const { together, inLab, alone } = inTurn(paths)
  await runFiles(together, FILES_AT_ONCE, { tally, unfinished })
  await Promise.all([
    runFiles(inLab, FILES_AT_ONCE, { tally, unfinished }),
    runFiles(alone, 1, { tally, unfinished }),
  ])
  clearTimeout(limit)
  const leftOut = isSelection ? [] : longTestsLeftOut(root, paths)
  if (leftOut.length > 0) console.log(`\nLeft out, for \`npm run test:lab\`:\n  ${leftOut.join('\n  ')}`)
  report(tally)
}

async function runFiles(
  paths: readonly string[],
  concurrency: number,
  { tally, unfinished }: { readonly tally: TestTally; readonly unfinished: UnfinishedTests },
): Promise<void> {
  if (paths.length === 0) return
  const timeout = paths.some(isLongTest) ? LONG_TEST_TIMEOUT_MS : TEST_TIMEOUT_MS
  const events = run({ cwd: root, files: [...paths], concurrency, timeout, execArgv: END_OF_FILE })
  events.on('test:dequeue', (test) => unfinished.begin(test))
  events.on('test:complete', (test) => unfinished.end(test))
  events.on('test:start', (test) => tally.start(test))
  events.on('test:pass', (test) => tally.pass(test))
  events.on('test:fail', (test) => tally.fail(test))
  const lines = events.compose(spec)
  for await (const line of lines) process.stdout.write(String(line))
}

function giveUp(tally: TestTally, unfinished: UnfinishedTests): never {
  report(tally)
  console.log(`\nGiven up after ${RUN_TIMEOUT_MS / MINUTE_MS} minutes. Not ended:`)
  for (const name of unfinished.names()) console.log(`  ${name}`)
  // oxlint-disable-next-line unicorn/no-process-exit -- what hangs would keep this process
  process.exit(1)
}

function report(tally: TestTally): void {
  if (tally.skipped.length > 0) {
    console.log(`\nCould not run here (${tally.skipped.length}):`)
    for (const { file, name, reason } of tally.skipped) console.log(`  ${file}: ${name}\n    ${reason}`)
  }
  for (const path of tally.emptyFiles) console.log(`\nFailed: ${path} holds no test`)
  const { passedCount, skipped } = tally
  const failedCount = tally.failedCount + tally.emptyFiles.length
  console.log(`\n${passedCount} passed, ${failedCount} failed, ${skipped.length} skipped`)
  if (failedCount > 0 || passedCount === 0) process.exitCode = 1
}
