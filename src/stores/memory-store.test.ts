import { storeConformance } from '../repository/store-conformance.ts'
import { MemoryStore } from './memory-store.ts'

storeConformance('memory store', () => {
  const store = new MemoryStore()
  return Promise.resolve({ store, [Symbol.asyncDispose]: () => store[Symbol.asyncDispose]() })
})
