/** Rejects with what `message()` says when `promise` takes longer. What it works at goes on. */
export async function withDeadline<Value>(
  promise: Promise<Value>,
  timeoutMs: number,
  message: () => string,
): Promise<Value> {
  const { promise: late, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => reject(new Error(message())), timeoutMs)
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}
