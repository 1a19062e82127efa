import type { MessageInitShape } from '@bufbuild/protobuf'
import { DegradedCode, type Degraded, type FreezeRecord, type HookRecord } from '../domain/ledger.ts'
import type {
  Degraded as DegradedMessage,
  FreezeRecord as RecordMessage,
  FreezeRecordSchema,
  HookRecord as HookMessage,
} from './gen/icecore/v1/agent_pb.ts'
import { OUTPUT_LENGTH_MAX, SENTENCE_LENGTH_MAX } from './wire-limits.ts'
import { listFrom, numberFrom, optionalNumber, sentenceFrom, textFrom } from './wire-values.ts'

export function freezeRecordToMessage(record: FreezeRecord): MessageInitShape<typeof FreezeRecordSchema> {
  return {
    hooks: record.hooks.map((hook) => ({
      stage: hook.stage,
      program: hook.program,
      durationMs: whole(hook.durationMs),
      output: hook.output,
      ...(hook.exitCode === null ? {} : { exitCode: hook.exitCode }),
      ...(hook.failure === null ? {} : { failure: hook.failure }),
    })),
    mountPoints: [...record.mountPoints],
    ...(record.windowMs === null ? {} : { windowMs: whole(record.windowMs) }),
  }
}

export function freezeRecordFromMessage(message: RecordMessage): FreezeRecord {
  return {
    hooks: listFrom(message.hooks, 'hooks').map(hookFromMessage),
    mountPoints: listFrom(message.mountPoints, 'mount_points').map((path) => textFrom(path, 'a mount point')),
    windowMs: optionalNumber(message.windowMs, 'window_ms'),
  }
}

function hookFromMessage(message: HookMessage): HookRecord {
  if (message.stage !== 'before-freeze' && message.stage !== 'after-thaw') {
    throw new SyntaxError(`stage of a hook is ${JSON.stringify(message.stage.slice(0, 100))}`)
  }
  return {
    stage: message.stage,
    program: textFrom(message.program, 'the program of a hook'),
    durationMs: numberFrom(message.durationMs, 'duration_ms'),
    exitCode: message.exitCode ?? null,
    failure: message.failure === undefined ? null : sentenceFrom(message.failure, SENTENCE_LENGTH_MAX),
    output: sentenceFrom(message.output, OUTPUT_LENGTH_MAX),
  }
}

/** A reason that this version does not know is no reason to be green: it stands under the code of a failed hook, with its own in the sentence. */
export function degradedFromMessages(messages: readonly DegradedMessage[]): readonly Degraded[] {
  return listFrom(messages, 'degraded').map((message) => {
    const sentence = sentenceFrom(message.message, SENTENCE_LENGTH_MAX)
    const code = Object.values(DegradedCode).find((known) => known === message.code)
    if (code !== undefined) return { code, message: sentence }
    const unknown = JSON.stringify(message.code.slice(0, 100))
    return {
      code: DegradedCode.AgentDegraded,
      message: `The agent says ${unknown}, which this version does not know: ${sentence}`,
    }
  })
}

/** Times are measured in fractions, and sent in whole milliseconds. */
export function whole(milliseconds: number): bigint {
  return BigInt(Math.ceil(milliseconds))
}
