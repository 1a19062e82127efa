/** Asks once for each key, however many subjects have it; who asks meanwhile waits for the same answer. */
export function askOnce<Subject, Answer>(
  keyOf: (subject: Subject) => string,
  ask: (subject: Subject) => Promise<Answer>,
): (subject: Subject) => Promise<Answer> {
  const answers = new Map<string, Promise<Answer>>()
  return (subject) => {
    const key = keyOf(subject)
    const known = answers.get(key)
    if (known !== undefined) return known
    const answer = ask(subject)
    answers.set(key, answer)
    return answer
  }
}
