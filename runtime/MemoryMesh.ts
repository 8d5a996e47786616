/**
 * What is the port like without any NATS?
 *
 * Records, messages and a queue in the memory of one process, by the same rules, so that actors can be tried without a
 * server. Nothing survives it, and nothing of it is shared.
 */
import { Clock, Effect, Layer, Option } from "effect"
import { DeadlineExceeded, MeshUnavailable } from "../protocol/wire/Errors.ts"
import * as Stream from "../protocol/wire/Stream.ts"
import type { StreamKind, StreamSpec } from "../protocol/wire/StreamSpec.ts"
import {
  type Headers,
  Mesh,
  type MeshShape,
  type Message,
  NoResponders,
  RevisionConflict,
  type Stored,
  type WriteOptions
} from "./Mesh.ts"

/** The largest message, as the embedded server has it. */
const payloadBytesMax = 8 * 1024 * 1024
const takeWait = "1 second"

interface Kept extends Stored {
  readonly endsAtMs: number
}

interface Listener {
  readonly pattern: ReadonlyArray<string>
  readonly group: string | undefined
  readonly handler: (message: Message) => void
}

/** Whether a subject is one that a pattern of tokens, `*` and `>` names. */
const matches = (pattern: ReadonlyArray<string>, subject: string): boolean => {
  const tokens = subject.split(".")
  const isRest = pattern.at(-1) === ">"
  if (isRest ? tokens.length < pattern.length : tokens.length !== pattern.length) return false
  return pattern.every(
    (token, at) => token === "*" || (token === ">" && at === pattern.length - 1) || token === tokens[at]
  )
}

const noHeaders: Headers = new Map()

/** What the streams allow, and what an end of a record leaves behind, as a server has it. */
const expires: ReadonlyArray<StreamKind> = ["expiring", "lease"]
const purges: ReadonlyArray<StreamKind> = ["lease", "blob", "letters", "queue"]
const markerTtlMs = 60_000

const makeStreams = () => {
  const specs = new Map<string, StreamSpec>(Stream.every.map((spec) => [spec.name, spec]))
  const byPattern = () => Array.from(specs.values(), (spec) => ({ spec, pattern: spec.subjects.split(".") }))
  let patterns = byPattern()
  return {
    add: (added: ReadonlyArray<StreamSpec>) => {
      for (const spec of added) specs.set(spec.name, spec)
      patterns = byPattern()
    },
    capturing: (subject: string) => patterns.find(({ pattern }) => matches(pattern, subject))?.spec,
    named: (name: string) => specs.get(name)
  }
}

const refused = (operation: string, reason: string) => Effect.fail(new MeshUnavailable({ operation, reason }))

const makeRecords = (
  streams: ReturnType<typeof makeStreams>,
  nowMs: () => number
): Pick<MeshShape, "write" | "read" | "readMany" | "dequeue"> => {
  const kept = new Map<string, Kept>()
  let revision = 0
  const standing = (subject: string): Kept | undefined => {
    const found = kept.get(subject)
    if (found === undefined || found.endsAtMs > nowMs()) return found
    kept.delete(subject)
    const endsAtMs = found.endsAtMs + markerTtlMs
    const isMarked = Option.isSome(found.value) && streams.capturing(subject)?.kind === "lease" && endsAtMs > nowMs()
    if (!isMarked) return undefined
    const ended = { ...found, revision: ++revision, value: Option.none(), endsAtMs }
    kept.set(subject, ended)
    return ended
  }
  const why = (subject: string, data: Uint8Array, { ttlSeconds }: WriteOptions): string | undefined => {
    const spec = streams.capturing(subject)
    if (spec === undefined) return "no stream captures the subject"
    if (data.length > payloadBytesMax) return "more than the largest payload"
    if (ttlSeconds === undefined) return undefined
    if (!expires.includes(spec.kind)) return `nothing of ${spec.name} expires`
    return ttlSeconds >= 1 ? undefined : "a time to live of less than a second"
  }
  return {
    write: (subject, data, options = {}) =>
      Effect.suspend((): Effect.Effect<number, MeshUnavailable | RevisionConflict> => {
        const { expect, remove = false, ttlSeconds } = options
        const reason = why(subject, data, options)
        if (reason !== undefined) return refused(`write ${subject}`, reason)
        if (expect !== undefined && expect !== (standing(subject)?.revision ?? 0)) {
          return Effect.fail(new RevisionConflict({ subject }))
        }
        const endsAtMs = ttlSeconds === undefined ? Infinity : nowMs() + ttlSeconds * 1000
        const value = remove ? Option.none() : Option.some(data)
        kept.set(subject, { subject, revision: ++revision, value, endsAtMs })
        return Effect.succeed(revision)
      }),
    read: (stream, subject) =>
      Effect.suspend(() => {
        if (streams.named(stream) === undefined) return refused(`read ${subject}`, `there is no stream ${stream}`)
        const isThere = streams.capturing(subject)?.name === stream
        return Effect.succeed(isThere ? Option.fromUndefinedOr(standing(subject)) : Option.none())
      }),
    readMany: (stream, subjects) =>
      Effect.suspend(() => {
        if (streams.named(stream) === undefined) return refused(`read of ${stream}`, "there is no such stream")
        const patterns = subjects.map((subject) => subject.split("."))
        const chosen = Array.from(kept.keys()).filter(
          (key) => streams.capturing(key)?.name === stream && patterns.some((pattern) => matches(pattern, key))
        )
        return Effect.succeed(chosen.flatMap((subject) => standing(subject) ?? []))
      }),
    dequeue: (stream, subject) =>
      Effect.suspend(() => {
        const spec = streams.named(stream)
        if (spec === undefined) return refused(`dequeue ${subject}`, `there is no stream ${stream}`)
        if (!purges.includes(spec.kind)) return refused(`dequeue ${subject}`, `nothing of ${stream} is purged`)
        kept.delete(subject)
        return Effect.void
      })
  }
}

const makeMessages = (): Pick<MeshShape, "publish" | "request" | "subscribe"> => {
  const listeners = new Set<Listener>()
  const listenersOf = (subject: string): ReadonlyArray<Listener> => {
    const all = Array.from(listeners).filter(({ pattern }) => matches(pattern, subject))
    // of a group one gets it
    return all.filter(({ group }, at) => group === undefined || all.findIndex((other) => other.group === group) === at)
  }
  return {
    publish: (subject, data, headers = noHeaders) =>
      Effect.sync(() => {
        for (const { handler } of listenersOf(subject)) handler({ subject, data, headers, respond: () => undefined })
      }),
    request: (subject, data, { abandonOn, headers = noHeaders, timeoutMs }) =>
      Effect.callback<Message, NoResponders>((resume) => {
        let takeBack: (() => void) | undefined
        const end = (outcome: Effect.Effect<Message, NoResponders>) => {
          takeBack?.()
          resume(outcome)
        }
        const gone = () => end(Effect.fail(new NoResponders({ subject })))
        const found = listenersOf(subject)
        if (found.length === 0) {
          gone()
          return undefined
        }
        takeBack = abandonOn?.(gone)
        const respond: Message["respond"] = (reply, replyHeaders = noHeaders) => {
          end(Effect.succeed({ subject, data: reply, headers: replyHeaders, respond: () => undefined }))
        }
        for (const { handler } of found) handler({ subject, data, headers, respond })
        return Effect.sync(() => takeBack?.())
      }).pipe(
        Effect.timeoutOrElse({
          duration: timeoutMs,
          orElse: () => Effect.fail(new DeadlineExceeded({ waitingFor: `answer on ${subject}`, budgetMs: timeoutMs }))
        })
      ),
    subscribe: (subject, handler, options) =>
      Effect.asVoid(
        Effect.acquireRelease(
          Effect.sync(() => {
            const listener = { pattern: subject.split("."), group: options?.group, handler }
            listeners.add(listener)
            return listener
          }),
          (listener) => Effect.sync(() => void listeners.delete(listener))
        )
      )
  }
}

const make = Effect.map(Clock.Clock, (clock) => {
  const streams = makeStreams()
  const records = makeRecords(streams, () => clock.currentTimeMillisUnsafe())
  return Mesh.of({
    ...records,
    ...makeMessages(),
    provision: (specs) => Effect.sync(() => streams.add(specs)),
    enqueue: (subject, data) => Effect.ignore(records.write(subject, data, { expect: 0 })),
    // what takes from the queue is a host's business, and there is none
    take: () => Effect.as(Effect.sleep(takeWait), Option.none()),
    onReconnect: () => Effect.void,
    payloadBytesMax: () => payloadBytesMax,
    connected: () => true,
    caughtUp: Effect.void
  })
})

/** A port that is this process alone. */
export const layer: Layer.Layer<Mesh> = Layer.effect(Mesh, make)
