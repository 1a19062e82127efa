import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2'
import { type ConnectRouter, createContextValues } from '@connectrpc/connect'
import { universalRequestFromNodeRequest, universalResponseToNodeResponse } from '@connectrpc/connect-node'
import type { Clock } from '../domain/clock.ts'
import { CALL, type CallRecord, type FinishedCall } from './call-record.ts'
import type { OpenSessions } from './open-sessions.ts'

type Watched = {
  readonly clock: Clock
  readonly sessions: OpenSessions
  readonly onCall: (call: FinishedCall) => void
}

type Handler = (request: Http2ServerRequest, response: Http2ServerResponse) => void

/** A stream on which nothing moves for so long is one that nobody reads. */
const SILENCE_MS = 30 * 60_000
const METHOD_LENGTH_MAX = 200

/** Answers every request by the router, and tells of each when it has ended, however that was. */
export function callHandler(router: ConnectRouter, watched: Watched): Handler {
  const methods = new Map(router.handlers.map((handler) => [handler.requestPath, handler]))
  return (request, response) => {
    const { stream } = request
    // Without these a reset of the peer would be an error that nobody takes.
    request.on('error', () => {})
    response.on('error', () => {})
    stream.on('error', () => {})
    const call = beginCall(request, watched)
    if (call === null) return stream.session?.destroy()
    stream.setTimeout(SILENCE_MS, () => stream.close())
    const handler = methods.get(call.method)
    if (handler === undefined) {
      call.failure = 'Cannot answer: there is no such method'
      response.writeHead(404)
      response.end()
      return
    }
    void answer()
    async function answer(): Promise<void> {
      try {
        const values = createContextValues().set(CALL, call)
        const asked = universalRequestFromNodeRequest(request, response, undefined, values)
        if (handler === undefined) return
        await universalResponseToNodeResponse(await handler(asked), response)
      } catch {
        // The stream is gone, or was never a request: there is nobody to tell.
        stream.close()
      }
    }
  }
}

/** Null where there is no peer any more, or one whose certificate has ended since it connected. */
function beginCall(request: Http2ServerRequest, watched: Watched): CallRecord | null {
  const { session } = request.stream
  const peer = watched.sessions.peerOf(session)
  if (peer === null || watched.sessions.hasExpired(session)) return null
  const method = (request.url.split('?', 1)[0] ?? '').slice(0, METHOD_LENGTH_MAX)
  const call: CallRecord = { method, peer, failure: null, about: '', isAnswered: false }
  const startedAtMs = watched.clock.now().getTime()
  const started = performance.now()
  request.stream.once('close', () => {
    const durationMs = performance.now() - started
    const unread = call.isAnswered ? null : 'the call ended before it was answered'
    const { failure, about } = call
    watched.onCall({ method, peer, startedAtMs, durationMs, about, failure: failure ?? unread })
  })
  return call
}
