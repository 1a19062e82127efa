import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Worker } from 'node:worker_threads'
import { eventually } from '../../test/support/eventually.ts'
import { SharedTls } from './shared-tls.ts'
import type { TlsMaterial } from './tls-material.ts'

/** All parts of it are of one kind: a mixture would be seen. */
function material(letter: string, length: number): TlsMaterial {
  const text = letter.repeat(length)
  return { key: text, certificate: text, authority: text, revoked: length % 2 === 0 ? text : null }
}

test('SharedTls gives other threads what was put there last, and never a mixture', async () => {
  const shared = new SharedTls()
  shared.put(material('a', 1000))
  const url = new URL('./shared-tls.ts', import.meta.url).href
  const code = `
    import { workerData, parentPort } from 'node:worker_threads'
    import { SharedTls } from ${JSON.stringify(url)}
    const shared = new SharedTls(workerData)
    let count = 0
    for (;;) {
      const { key, certificate, authority } = shared.take()
      if (key !== certificate || key !== authority || new Set(key).size !== 1) throw new Error('a mixture')
      count += 1
      if (count === 1) parentPort.postMessage('begun')
      if (key[0] === 'z') break
    }
    parentPort.postMessage('seen')
  `
  const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(code)}`), {
    workerData: shared.memory,
  })
  const heard: unknown[] = []
  worker.on('message', (message: unknown) => heard.push(message))
  const failed: unknown[] = []
  worker.on('error', (error) => failed.push(error))
  await eventually(() => heard.includes('begun') || failed.length > 0)
  for (let round = 0; round < 500; round += 1) shared.put(material('bc'[round % 2] ?? 'b', 5000 + round))
  shared.put(material('z', 10))
  await eventually(() => heard.includes('seen') || failed.length > 0)
  assert.deepEqual(failed, [])
  await worker.terminate()
})
