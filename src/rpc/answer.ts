import type { HandlerContext } from '@connectrpc/connect'
import { CALL, describeCall } from './call-record.ts'
import { badRequest, errorToWire } from './error-to-wire.ts'

/** How a request becomes what the agent is asked. */
export type Question<Request, Asked> = {
  /** Throws SyntaxError for what cannot be meant. */
  readonly read: (request: Request) => Asked
  readonly about: (asked: Asked) => string
}

/** Answers a request with one message. */
export function answerOnce<Request, Asked, Response>(
  question: Question<Request, Asked>,
  answer: (asked: Asked, signal: AbortSignal) => Promise<Response>,
): (request: Request, context: HandlerContext) => Promise<Response> {
  return async (request, context) => {
    try {
      const asked = readRequest(question, request, context)
      const response = await answer(asked, context.signal)
      markAnswered(context)
      return response
    } catch (error) {
      throw failedCall(error, context)
    }
  }
}

/** Answers a request with a stream of messages. */
export function answerStream<Request, Asked, Response>(
  question: Question<Request, Asked>,
  answer: (asked: Asked, context: HandlerContext) => AsyncIterable<Response>,
): (request: Request, context: HandlerContext) => AsyncIterable<Response> {
  return async function* (request, context) {
    try {
      yield* answer(readRequest(question, request, context), context)
      markAnswered(context)
    } catch (error) {
      throw failedCall(error, context)
    }
  }
}

function readRequest<Request, Asked>(
  question: Question<Request, Asked>,
  request: Request,
  context: HandlerContext,
): Asked {
  try {
    const asked = question.read(request)
    describeCall(context.values.get(CALL), question.about(asked))
    return asked
  } catch (error) {
    throw error instanceof SyntaxError ? badRequest(context.method.name, error) : error
  }
}

export function markAnswered(context: HandlerContext): void {
  const call = context.values.get(CALL)
  if (call !== null) call.isAnswered = true
}

/** Notes why for the audit log, and gives what the caller is told. */
export function failedCall(error: unknown, context: HandlerContext): Error {
  const call = context.values.get(CALL)
  if (call !== null) {
    // The log has the whole of it, also where the caller is told nothing.
    call.failure ??= context.signal.aborted ? 'the caller went away' : textOf(error)
    call.isAnswered = true
  }
  return errorToWire(error)
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
