#!/usr/bin/env node
// Plain JavaScript, for two reasons: an older Node can read it and say what is wrong, and Node starts 60 ms
// sooner when the compile cache is on before it meets the first TypeScript file.
import { keepCompiledCode } from '../lane/compile-cache.js'
import { keepHeapSmall } from './small-heap.js'

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)

// Reads of disks that are far away wait in threads of this pool, which has four unless it is told before its first use.
process.env['UV_THREADPOOL_SIZE'] ??= '16'

if (major > 24 || (major === 24 && minor >= 12)) {
  if (takesFiles(process.argv)) keepHeapSmall()
  keepCompiledCode()
  await import('./main.ts')
} else {
  process.stderr.write(
    `icecore: Cannot run on Node.js ${process.versions.node}: at least 24.12 is required\n` +
      'Start it with a newer one; in a checkout `npm ci` brings it, and `npx icecore` uses it\n',
  )
  process.exitCode = 2
}

/** What a set of files takes beside the lanes' memory would be too much; elsewhere a small heap only costs time. */
function takesFiles([, , command, ...words]) {
  return command === 'backup' && words.some((word) => word === '--path' || word.startsWith('--path='))
}
