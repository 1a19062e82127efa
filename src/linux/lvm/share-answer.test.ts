import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eventually } from '../../../test/support/eventually.ts'
import { shareAnswer } from './share-answer.ts'

test('shareAnswer() puts one question for all who ask before it is put, and another for who asks later', async () => {
  const answers: PromiseWithResolvers<string>[] = []
  const begun = Promise.withResolvers<void>()
  const ask = shareAnswer(() => {
    const answer = Promise.withResolvers<string>()
    answers.push(answer)
    begun.resolve()
    return answer.promise
  })
  const together = [ask(), ask()]
  await begun.promise
  const later = ask()
  answers[0]?.resolve('first')
  assert.deepEqual(await Promise.all(together), ['first', 'first'])
  await eventually(() => answers.length === 2)
  answers[1]?.resolve('second')
  assert.equal(await later, 'second')
})

test('shareAnswer() tells all of a failure, and asks anew after it', async () => {
  let count = 0
  const ask = shareAnswer(() => {
    count += 1
    return count === 1 ? Promise.reject(new RangeError('no')) : Promise.resolve(count)
  })
  const both = await Promise.allSettled([ask(), ask()])
  assert.deepEqual(
    both.map(({ status }) => status),
    ['rejected', 'rejected'],
  )
  assert.equal(await ask(), 2)
})
