import assert from 'node:assert/strict'
import { test } from 'node:test'

import { chooseHooks, type HookSet } from './choose-hooks.ts'
import type { Hook } from './hook.ts'

function hook(name: string): Hook {
  return { command: [name], timeoutMs: 1000, onFailure: 'abort' }
}

function set(name: string, scope: { lineage?: string; source?: string }): HookSet {
  return { ...scope, beforeFreeze: [hook(`${name}-before`)], afterThaw: [hook(`${name}-after`)] }
}

test('chooseHooks() takes those of the lineage, of the source and of every run, and undoes in reverse', () => {
  const sets = [
    set('all', {}),
    set('web', { lineage: 'web' }),
    set('home', { source: '/dev/vg0/home' }),
    set('both', { lineage: 'web', source: '/dev/vg0/root' }),
  ]
  const names = (lineage: string, sources: readonly string[]): string[] => {
    const { beforeFreeze, afterThaw } = chooseHooks(sets, { lineage, sources })
    return [...beforeFreeze, ...afterThaw].flatMap(({ command }) => command)
  }
  assert.deepEqual(names('other', ['/dev/sdb']), ['all-before', 'all-after'])
  assert.deepEqual(names('web', ['/dev/vg0/home']), [
    'all-before',
    'web-before',
    'home-before',
    'home-after',
    'web-after',
    'all-after',
  ])
})
