import assert from 'node:assert/strict'
import { test } from 'node:test'

import { entryOfPlatformPackage, missingOptionalPackages } from './optional-package.ts'

test('missingOptionalPackages() finds what the lock names and does not hold', () => {
  const packages = {
    '': { optionalDependencies: { a: '1.0.0' } },
    'node_modules/a': { version: '1.0.0' },
    'node_modules/b': { dev: true, optionalDependencies: { 'b-linux-x64': '2.0.0', a: '1.0.0' } },
  }
  assert.deepEqual(missingOptionalPackages(packages), [{ name: 'b-linux-x64', version: '2.0.0', dev: true }])
})

test('entryOfPlatformPackage() reads system, processor and C library from the name', () => {
  const entry = entryOfPlatformPackage({
    name: '@t/binding-linux-arm-gnueabihf',
    version: '1.2.3',
    dev: true,
  })
  assert.deepEqual(entry, {
    version: '1.2.3',
    dev: true,
    optional: true,
    os: ['linux'],
    cpu: ['arm'],
    libc: ['glibc'],
  })
})

test('entryOfPlatformPackage() refuses a name that does not say where it fits', () => {
  assert.throws(() => entryOfPlatformPackage({ name: 'fast', version: '1.2.3', dev: false }), SyntaxError)
})
