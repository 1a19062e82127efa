import assert from 'node:assert/strict'
import { test } from 'node:test'

import { missingOptionalPackages, type LockedPackages } from '../lock/optional-package.ts'
import { textOf } from './checkout.ts'

const lock: { packages: LockedPackages } = JSON.parse(textOf('package-lock.json'))

test('package-lock.json has every optional package; `npm run lock` adds what is missing', () => {
  assert.deepEqual(missingOptionalPackages(lock.packages), [])
})

test('package.json names exact versions', () => {
  const manifest: Record<string, Record<string, string>> = JSON.parse(textOf('package.json'))
  const wrong = ['dependencies', 'devDependencies', 'optionalDependencies'].flatMap((kind) =>
    Object.entries(manifest[kind] ?? {}).filter(([, version]) => !/^\d+\.\d+\.\d+$/.test(version)),
  )
  assert.deepEqual(wrong, [])
})

test('every dependency has its line in docs/dependencies.md', () => {
  const manifest: Record<string, Record<string, string>> = JSON.parse(textOf('package.json'))
  const page = textOf('docs/dependencies.md')
  const missing = ['dependencies', 'devDependencies', 'optionalDependencies']
    .flatMap((kind) => Object.keys(manifest[kind] ?? {}))
    .filter((name) => !page.includes(`\`${name}\``))
  assert.deepEqual(missing, [])
})
