// gRPC's server reflection, version 1: a client without icecore's files learns what can be called. Known from: gRPC's
// doc/server-reflection.md and grpc/reflection/v1/reflection.proto.

import { type DescFile, type DescService, toBinary } from '@bufbuild/protobuf'
import type { MessageInitShape } from '@bufbuild/protobuf'
import { FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt'
import { Code, type ServiceImpl } from '@connectrpc/connect'
import { markAnswered } from './answer.ts'
import type {
  ServerReflection,
  ServerReflectionRequest,
  ServerReflectionResponseSchema,
} from './gen/grpc/reflection/v1/reflection_pb.ts'

type Response = MessageInitShape<typeof ServerReflectionResponseSchema>
type Answer = NonNullable<Response['messageResponse']>

/** Answers for `services`; no file of theirs declares extensions. */
export function reflectionRoutes(services: readonly DescService[]): ServiceImpl<typeof ServerReflection> {
  const files = new Set(services.map((service) => service.file))
  return {
    async *serverReflectionInfo(requests, context) {
      for await (const request of requests) {
        yield {
          validHost: request.host,
          originalRequest: request,
          messageResponse: answerTo(request, services, files),
        }
      }
      markAnswered(context)
    },
  }
}

function answerTo(
  { messageRequest }: ServerReflectionRequest,
  services: readonly DescService[],
  files: ReadonlySet<DescFile>,
): Answer {
  switch (messageRequest.case) {
    case 'listServices':
      return {
        case: 'listServicesResponse',
        value: { service: services.map(({ typeName }) => ({ name: typeName })) },
      }
    case 'fileByFilename':
      return fileAnswer([...files].find((file) => nameOf(file) === messageRequest.value))
    case 'fileContainingSymbol':
      return fileAnswer([...files].find((file) => declares(file, messageRequest.value)))
    case 'fileContainingExtension':
    case 'allExtensionNumbersOfType':
      return failure(Code.NotFound, 'There are no extensions')
    case undefined:
      return failure(Code.InvalidArgument, 'There is no question in the message')
  }
}

/** No file imports another one. */
function fileAnswer(file: DescFile | undefined): Answer {
  if (file === undefined) return failure(Code.NotFound, 'There is no such file or name')
  const bytes = toBinary(FileDescriptorProtoSchema, file.proto)
  return { case: 'fileDescriptorResponse', value: { fileDescriptorProto: [bytes] } }
}

function failure(code: Code, sentence: string): Answer {
  return { case: 'errorResponse', value: { errorCode: code, errorMessage: sentence } }
}

function nameOf(file: DescFile): string {
  return `${file.name}.proto`
}

function declares(file: DescFile, symbol: string): boolean {
  return (
    file.services.some(
      ({ typeName, methods }) =>
        typeName === symbol || methods.some(({ name }) => `${typeName}.${name}` === symbol),
    ) || [...file.messages, ...file.enums].some(({ typeName }) => typeName === symbol)
  )
}
