import { readFileSync, writeFileSync } from 'node:fs'

import { entryOfPlatformPackage, missingOptionalPackages, type LockedPackages } from './optional-package.ts'

// Run after `npm install` changed the lock: `npm run lock`.
const path = new URL('../../package-lock.json', import.meta.url)
const lock: { packages: LockedPackages } = JSON.parse(readFileSync(path, 'utf8'))
const missing = missingOptionalPackages(lock.packages)
for (const found of missing) lock.packages[`node_modules/${found.name}`] = entryOfPlatformPackage(found)

const folders = Object.keys(lock.packages).toSorted((a, b) => a.localeCompare(b, 'en'))
lock.packages = Object.fromEntries(folders.map((folder) => [folder, lock.packages[folder] ?? {}]))
writeFileSync(path, `${JSON.stringify(lock, null, 2)}\n`)
process.stdout.write(`package-lock.json: ${missing.length} optional packages added\n`)
