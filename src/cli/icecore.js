#!/usr/bin/env node
// Plain JavaScript, for two reasons: an older Node can read it and say what is wrong, and Node starts 60 ms
// sooner when the compile cache is on before it meets the first TypeScript file.
// Not by name: there is no such export before Node 22.
import module from 'node:module'
import { join } from 'node:path'

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)

if (major > 24 || (major === 24 && minor >= 12)) {
  keepCompiledCode()
  await import('./main.ts')
} else {
  process.stderr.write(
    `icecore: Cannot run on Node.js ${process.versions.node}: at least 24.12 is required\n` +
      'Run `npm ci` in the checkout, which brings its own, and then `npx icecore`\n',
  )
  process.exitCode = 2
}

/** In the user's own folder: others can write to the system's /tmp, and what they write would be run. */
function keepCompiledCode() {
  const { HOME = '', XDG_CACHE_HOME = '', NODE_COMPILE_CACHE } = process.env
  const cacheHome = XDG_CACHE_HOME.startsWith('/') ? XDG_CACHE_HOME : HOME && join(HOME, '.cache')
  const folder = NODE_COMPILE_CACHE ?? (cacheHome && join(cacheHome, 'icecore', 'compiled'))
  if (folder) module.enableCompileCache(folder)
}
