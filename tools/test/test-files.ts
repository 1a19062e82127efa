import { globSync } from 'node:fs'

const PATTERNS = [
  'src/**/*.test.ts',
  'test/**/*.test.ts',
  'tools/**/*.test.ts',
  'bench/**/*.test.ts',
] as const

/** Tests that take many minutes: they run when a selection names them, as `npm run test:lab` does. */
const LONG_TESTS = 'test/lab/long/'
/** Tests on hosts of their own. */
const LAB_TESTS = 'test/lab/'

/**
 * The test files below `root`, all but the long ones or those that a selection names: a file, a folder, or a path without
 * its ending. Throws SyntaxError when a selection names none, so that a slip of the pen is not a green run.
 */
export function testFiles(root: string, selections: readonly string[]): string[] {
  const all = globSync([...PATTERNS], { cwd: root }).toSorted()
  if (selections.length === 0) return all.filter((file) => !isLongTest(file))
  const chosen = new Set<string>()
  for (const selection of selections) {
    const start = selection.replace(/^\.\//, '').replace(/\/+$/, '')
    const found = all.filter(
      (file) => file.startsWith(`${start}/`) || file.startsWith(`${start}.`) || file === start,
    )
    if (found.length === 0)
      throw new SyntaxError(`Cannot select tests "${selection}": no test file has this path`)
    for (const file of found) chosen.add(file)
  }
  return [...chosen].toSorted()
}

export function isLongTest(file: string): boolean {
  return file.startsWith(LONG_TESTS)
}

/**
 * Tests that find the whole host as they left it: an agent that starts releases whatever clones no process holds, those
 * that a test beside it has just orphaned on purpose among them.
 */
const ALONE: readonly string[] = [
  'src/agent/agent-process.test.ts',
  'src/agent/run-agent.test.ts',
  'src/capture/reflink/killed.test.ts',
  'test/agent/backup.test.ts',
  'test/agent/failures.test.ts',
  'test/agent/restore.test.ts',
  'test/doctor/doctor.test.ts',
]

export type TestTurns = {
  /** These run first. */
  readonly together: readonly string[]
  /** Then these, of which no other test sees anything. */
  readonly inLab: readonly string[]
  /** And beside them these, one after the other. */
  readonly alone: readonly string[]
}

export function inTurn(files: readonly string[]): TestTurns {
  const alone = files.filter((file) => ALONE.includes(file))
  const inLab = files.filter((file) => file.startsWith(LAB_TESTS))
  const apart = new Set([...alone, ...inLab])
  return { together: files.filter((file) => !apart.has(file)), inLab, alone }
}

/** The long tests that a run of `files` leaves out. */
export function longTestsLeftOut(root: string, files: readonly string[]): string[] {
  return globSync(`${LONG_TESTS}**/*.test.ts`, { cwd: root })
    .toSorted()
    .filter((file) => !files.includes(file))
}
