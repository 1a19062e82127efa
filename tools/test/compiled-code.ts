import { join } from 'node:path'

import { labCacheFolder } from '../lab/cache-folder.ts'

/**
 * Where the processes of tests keep compiled code: Node.js strips the types of a file once, and not in each of the
 * thousands of processes that tests start. The lab's hosts see it too.
 */
export function compiledCodeFolder(): string {
  return join(labCacheFolder(), 'compiled')
}
