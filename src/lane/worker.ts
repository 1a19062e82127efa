import { loadNative } from '../linux/native.ts'
import { onSetUp } from '../linux/thread-calls.ts'
import type { WorkerSetUp } from './lane-messages.ts'
import { serveCheck } from './serve-check.ts'
import { serveRestore } from './serve-restore.ts'
import { serveSeal } from './serve-seal.ts'

// Whatever the work is, it has a codec.
loadNative()
/** A lane's thread is told which work it is for when its code is loaded already. */
onSetUp(serve)

function serve(setUp: WorkerSetUp): void {
  switch (setUp.work) {
    case 'check':
      return serveCheck(setUp)
    case 'restore':
      return serveRestore(setUp)
    case 'seal':
      return serveSeal(setUp)
  }
}
