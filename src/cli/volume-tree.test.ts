import assert from 'node:assert/strict'
import { test } from 'node:test'
import { drawTree, type TreeNode } from './volume-tree.ts'

function leaf(name: string): TreeNode {
  return { lines: [name, `${name} in words`], children: [] }
}

test('drawTree() hangs children and further lines below their parent', () => {
  const tree = [
    { lines: ['disk', 'a table'], children: [{ lines: ['p1'], children: [leaf('a')] }, leaf('p2')] },
  ]
  assert.deepEqual(drawTree(tree), [
    'disk',
    '│  a table',
    '├─ p1',
    '│  └─ a',
    '│        a in words',
    '└─ p2',
    '      p2 in words',
  ])
})
