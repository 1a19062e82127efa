import type { HandlerContext, ServiceImpl } from '@connectrpc/connect'
import type { AgentApi } from './agent-api.ts'
import { answerOnce, answerStream, failedCall, markAnswered } from './answer.ts'
import { CALL, describeCall } from './call-record.ts'
import { challengeFromMessage } from './challenge-message.ts'
import { badRequest } from './error-to-wire.ts'
import { alteredAnswers, deltaAnswers, extentAnswers } from './extent-answers.ts'
import { freezeOrderFromMessage, leaseFrom } from './freeze-order-message.ts'
import { frozenToMessage } from './frozen-message.ts'
import type {
  AgentService,
  InstallCertificateRequest,
  WriteExtentsRequest,
} from './gen/icecore/v1/agent_pb.ts'
import { KnownImages } from './image-facts.ts'
import { pieceAnswers, piecesOfTarget } from './piece-answers.ts'
import { statusToMessage } from './status-message.ts'
import { deltaFrom, extentsFrom, identifyFrom, readFrom } from './stream-requests.ts'
import { targetToMessage } from './target-message.ts'
import { CERTIFICATE_BYTES_MAX, REVOKED_BYTES_MAX } from './wire-limits.ts'
import { bytesFrom, numberFrom, textFrom } from './wire-values.ts'

type Routes = ServiceImpl<typeof AgentService>
type OfGroup = { readonly groupId: string }

/** The service over an agent: requests are checked here, and what the agent is asked are values of the domain. */
export function agentRoutes(api: AgentApi): Routes {
  const images = new KnownImages()
  return {
    ...statusRoutes(api),
    ...imageRoutes(api, images),
    ...streamRoutes(api, images),
    ...targetRoutes(api),
    ...certificateRoutes(api),
  }
}

function statusRoutes(api: AgentApi): Pick<Routes, 'getStatus' | 'listSources' | 'getLoad'> {
  const nothing = { read: () => null, about: () => '' }
  return {
    getStatus: answerOnce(nothing, async (_, signal) => statusToMessage(await api.status(signal))),
    listSources: answerOnce(nothing, async (_, signal) => ({
      sources: [...(await api.listSources(signal))],
    })),
    getLoad: answerOnce(
      {
        read: (request: { readonly imageId: string }) => textFrom(request.imageId, 'image_id'),
        about: (imageId) => imageId,
      },
      async (imageId, signal) => {
        const load = await api.load(imageId, signal)
        return {
          inFlight: load.inFlight,
          ...(load.readLatencyMs === null ? {} : { readLatencyMs: load.readLatencyMs }),
          ...(load.writeLatencyMs === null ? {} : { writeLatencyMs: load.writeLatencyMs }),
        }
      },
    ),
  }
}

function imageRoutes(
  api: AgentApi,
  images: KnownImages,
): Pick<Routes, 'freeze' | 'challenge' | 'renew' | 'keep' | 'release'> {
  return {
    freeze: answerOnce(
      { read: freezeOrderFromMessage, about: ({ sources }) => sources.join(' ') },
      async (order, signal) => {
        const frozen = await api.freeze(order, signal)
        for (const image of frozen.images) images.set(image.imageId, image)
        return frozenToMessage(frozen)
      },
    ),
    challenge: answerOnce(
      {
        read: challengeFromMessage,
        about: ({ imageId, ranges }) => `${imageId} ${ranges.length} ranges`,
      },
      async (question, signal) => ({ digests: [...(await api.challenge(question, signal))] }),
    ),
    renew: answerOnce(
      {
        read: (request: OfGroup & { readonly leaseSeconds: number }) => ({
          groupId: groupFrom(request),
          leaseSeconds: leaseFrom(request.leaseSeconds),
        }),
        about: aboutGroup,
      },
      async (lease, signal) => ({ leaseSeconds: await api.renew(lease, signal) }),
    ),
    keep: answerOnce(
      {
        read: (request: OfGroup & { readonly pointId: string }) => ({
          groupId: groupFrom(request),
          pointId: pointFrom(request.pointId),
        }),
        about: ({ groupId, pointId }) => `${groupId} for ${pointId}`,
      },
      async (kept, signal) => {
        await api.keep(kept, signal)
        return {}
      },
    ),
    release: answerOnce({ read: groupFrom, about: (groupId) => groupId }, async (groupId, signal) => {
      await api.release(groupId, signal)
      return {}
    }),
  }
}

function streamRoutes(
  api: AgentApi,
  images: KnownImages,
): Pick<Routes, 'getExtents' | 'getDelta' | 'identifyConfiguration' | 'readExtents'> {
  return {
    getExtents: answerStream({ read: extentsFrom, about: aboutImage }, (from, context) =>
      extentAnswers(api.extents(from, context.signal), from, context),
    ),
    getDelta: answerStream(
      { read: deltaFrom, about: ({ imageId, basePointId }) => `${imageId} since ${basePointId}` },
      (from, context) =>
        deltaAnswers(api.delta(from, context.signal), images.get(from.imageId)?.sizeBytes ?? 0, context),
    ),
    identifyConfiguration: answerStream({ read: identifyFrom, about: aboutImage }, (from, context) =>
      alteredAnswers(api.identify(from, context.signal), from, context),
    ),
    readExtents: answerStream(
      { read: readFrom, about: ({ imageId, ranges }) => `${imageId} ${ranges.length} ranges` },
      (what, context) => pieceAnswers(api.read(what, context.signal)),
    ),
  }
}

function targetRoutes(api: AgentApi): Pick<Routes, 'openTarget' | 'writeExtents' | 'closeTarget'> {
  return {
    openTarget: answerOnce(
      {
        read: (request: {
          readonly path: string
          readonly sizeBytesMin: bigint
          readonly leaseSeconds: number
        }) => ({
          path: textFrom(request.path, 'path'),
          sizeBytesMin: numberFrom(request.sizeBytesMin, 'size_bytes_min'),
          leaseSeconds: leaseFrom(request.leaseSeconds),
        }),
        about: ({ path }) => path,
      },
      async (order, signal) => targetToMessage(await api.openTarget(order, signal)),
    ),
    writeExtents: (requests, context) => answerWrite(api, requests, context),
    closeTarget: answerOnce(
      {
        read: (request: { readonly targetId: string }) => textFrom(request.targetId, 'target_id'),
        about: (targetId) => targetId,
      },
      async (targetId, signal) => {
        await api.closeTarget(targetId, signal)
        return {}
      },
    ),
  }
}

async function answerWrite(
  api: AgentApi,
  requests: AsyncIterable<WriteExtentsRequest>,
  context: HandlerContext,
): Promise<{ writtenBytes: bigint }> {
  try {
    const target = await piecesOfTarget(requests)
    if (target === null) throw new SyntaxError('there is no message, expected at least one')
    describeCall(context.values.get(CALL), target.targetId)
    const writtenBytes = await api.write(target.targetId, target.pieces, context.signal)
    markAnswered(context)
    return { writtenBytes: BigInt(writtenBytes) }
  } catch (error) {
    const told = error instanceof SyntaxError ? badRequest(context.method.name, error) : error
    throw failedCall(told, context)
  }
}

function certificateRoutes(api: AgentApi): Pick<Routes, 'getSigningRequest' | 'installCertificate'> {
  return {
    getSigningRequest: answerOnce({ read: () => null, about: () => '' }, async (_, signal) => ({
      request: await api.signingRequest(signal),
    })),
    installCertificate: answerOnce(
      { read: issuedFrom, about: ({ certificate }) => (certificate === null ? 'list of revoked' : '') },
      async (issued, signal) => {
        await api.installCertificate(issued, signal)
        return {}
      },
    ),
  }
}

function issuedFrom(request: InstallCertificateRequest): {
  readonly certificate: Uint8Array | null
  readonly revoked: Uint8Array | null
} {
  const { certificate, revoked } = request
  return {
    certificate:
      certificate.byteLength === 0 ? null : bytesFrom(certificate, 'certificate', CERTIFICATE_BYTES_MAX),
    revoked: revoked.byteLength === 0 ? null : bytesFrom(revoked, 'revoked', REVOKED_BYTES_MAX),
  }
}

function groupFrom(request: OfGroup): string {
  return textFrom(request.groupId, 'group_id')
}

function pointFrom(pointId: string): string {
  if (/^[0-9a-f]{64}$/.test(pointId)) return pointId
  throw new SyntaxError('point_id is not what it should be, expected 64 hexadecimal digits')
}

function aboutGroup({ groupId }: OfGroup): string {
  return groupId
}

function aboutImage({ imageId }: { readonly imageId: string }): string {
  return imageId
}
