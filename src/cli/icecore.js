#!/usr/bin/env node
// Plain JavaScript, for two reasons: an older Node can read it and say what is wrong, and Node starts 60 ms
// sooner when the compile cache is on before it meets the first TypeScript file.
import { enableCompileCache } from 'node:module'
import { homedir } from 'node:os'
import { join } from 'node:path'

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)

if (major > 24 || (major === 24 && minor >= 12)) {
  // In the user's own folder: others can write to the system's /tmp, and what they write would be run.
  const cacheHome = process.env['XDG_CACHE_HOME'] ?? ''
  const folder = cacheHome.startsWith('/') ? cacheHome : join(homedir(), '.cache')
  enableCompileCache(process.env['NODE_COMPILE_CACHE'] ?? join(folder, 'icecore', 'compiled'))
  await import('./main.ts')
} else {
  process.stderr.write(
    `icecore: Cannot run on Node.js ${process.versions.node}: at least 24.12 is required\n` +
      'Run `npm ci` in the checkout, which brings its own, and then `npx icecore`\n',
  )
  process.exitCode = 2
}
