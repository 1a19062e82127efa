/**
 * Loaded before each file of tests. Node.js waits for whatever keeps a process alive, for as long as it takes, and no
 * limit of time of the runner ends that wait; forced to exit it loses the names of the tests that ended last. So a
 * file that cannot end by itself fails, and what keeps it is named.
 */
import { after } from 'node:test'
import { isMainThread } from 'node:worker_threads'

const PATIENCE_MS = 10_000

// Threads that a test starts get the same arguments, and are no files of tests.
if (isMainThread) after(endBeforeLong)

function endBeforeLong(): void {
  // Without a reference: it only comes due in a process that something else keeps alive.
  setTimeout(failWithNames, PATIENCE_MS).unref()
}

function failWithNames(): never {
  const kept = process.getActiveResourcesInfo().join(', ')
  console.error(`All tests of this file have ended, but ${kept} kept it alive: close what the tests opened.`)
  process.exit(1)
}
