/**
 * How is the public API served on NATS?
 *
 * JSON in; JSON or Arrow out, as the request's `Accept` says. An error is an answer with a tag, a code and a body; a
 * refused read has the account of the answer that was refused beside it.
 */
import { Effect, Layer, Option, Schema, Semaphore } from "effect"
import * as FrameCodec from "../../protocol/frame/FrameCodec.ts"
import * as FrameJson from "../../protocol/frame/FrameJson.ts"
import { InvalidRequest, ResultTooLarge } from "../../protocol/history/Errors.ts"
import {
  AvailabilityResult,
  CoverageReport,
  HistoryMeta,
  type HistoryResult
} from "../../protocol/history/HistoryResult.ts"
import * as Codec from "../../protocol/wire/Codec.ts"
import type { MeshUnavailable } from "../../protocol/wire/Errors.ts"
import { arrowMetaKey, Header, MediaType } from "../../protocol/wire/Header.ts"
import * as Subject from "../../protocol/wire/Subject.ts"
import { Mesh, type Message } from "../../runtime/Mesh.ts"
import { errorReply, type Reply, type Respond, serve } from "../../runtime/ServiceEndpoint.ts"
import { SeamlessDataProvider } from "./SeamlessDataProvider.ts"

/** Headers and the server's own framing, kept free of the payload's limit. */
const headroomBytes = 4096

const encodeMeta = Schema.encodeSync(HistoryMeta)
const encodeAvailability = Schema.encodeSync(AvailabilityResult)
const encodeCoverage = Schema.encodeSync(CoverageReport)

const jsonReply = (value: unknown): Reply => ({
  data: Codec.toJson(value),
  headers: new Map([[Header.contentType, MediaType.json]])
})

const arrowReply = ({ df, meta }: HistoryResult, returnMeta: boolean): Reply => {
  const metadata = new Map(returnMeta ? [[arrowMetaKey, JSON.stringify(encodeMeta(meta))]] : [])
  return {
    data: FrameCodec.encode(df, { lineage: "columns", metadata }),
    headers: new Map([[Header.contentType, MediaType.arrow]])
  }
}

const historyReply = (result: HistoryResult, wants: { readonly arrow: boolean; readonly meta: boolean }): Reply => {
  if (wants.arrow) return arrowReply(result, wants.meta)
  const columns = FrameJson.toJson(result.df)
  return jsonReply(wants.meta ? { columns, meta: encodeMeta(result.meta) } : { columns })
}

const bodyOf = ({ data, headers }: Message): Effect.Effect<unknown, InvalidRequest> => {
  const form = headers.get(Header.contentType) ?? MediaType.json
  if (form !== MediaType.json) {
    return Effect.fail(
      new InvalidRequest({ field: Header.contentType, problem: `${form} is not served: send ${MediaType.json}` })
    )
  }
  return Option.match(Codec.fromJson(data), {
    onNone: () => Effect.fail(new InvalidRequest({ field: "body", problem: "is no JSON" })),
    onSome: Effect.succeed
  })
}

const acceptOf = ({ headers }: Message): Effect.Effect<boolean, InvalidRequest> => {
  const accept = headers.get(Header.accept) ?? MediaType.json
  if (accept === MediaType.arrow) return Effect.succeed(true)
  if (accept === MediaType.json || accept === "*/*") return Effect.succeed(false)
  const problem = `${accept} is not served: ask for ${MediaType.json} or ${MediaType.arrow}`
  return Effect.fail(new InvalidRequest({ field: Header.accept, problem }))
}

// a large answer takes tens of milliseconds to encode: many that are ready at once must not keep the host from its
// heartbeats, so they are encoded one after another, and everything else gets its turn in between
const encoding = Semaphore.makeUnsafe(1)

const inTurn = (encode: () => Reply): Effect.Effect<Reply> =>
  encoding.withPermits(1)(Effect.tap(Effect.sync(encode), () => Effect.sleep(0)))

const make = Effect.gen(function* () {
  const provider = yield* SeamlessDataProvider
  const mesh = yield* Mesh

  /** An answer that the server would not carry is an error that says so. */
  const fitting = (reply: Reply): Reply => {
    const bytesMax = mesh.payloadBytesMax() - headroomBytes
    return reply.data.length <= bytesMax
      ? reply
      : errorReply(new ResultTooLarge({ bytes: reply.data.length, bytesMax }))
  }

  const read: Respond = (message) =>
    Effect.gen(function* () {
      const arrow = yield* acceptOf(message)
      const { result, returnMeta } = yield* provider.read(yield* bodyOf(message))
      return yield* inTurn(() => historyReply(result, { arrow, meta: returnMeta }))
    }).pipe(
      Effect.catchTag("Refused", ({ error, result }) =>
        Effect.succeed(errorReply(error, { meta: encodeMeta(result.meta) }))
      ),
      Effect.catch((error) => Effect.succeed(errorReply(error))),
      Effect.map(fitting)
    )

  const ensure: Respond = (message) =>
    Effect.gen(function* () {
      return jsonReply(encodeAvailability(yield* provider.ensureAvailable(yield* bodyOf(message))))
    }).pipe(
      Effect.catchTag("NotAvailable", ({ error, result }) =>
        Effect.succeed(errorReply(error, { result: encodeAvailability(result) }))
      ),
      Effect.catch((error) => Effect.succeed(errorReply(error))),
      Effect.map(fitting)
    )

  const coverage: Respond = (message) =>
    Effect.gen(function* () {
      return jsonReply(encodeCoverage(yield* provider.coverage(yield* bodyOf(message))))
    }).pipe(
      Effect.catch((error) => Effect.succeed(errorReply(error))),
      Effect.map(fitting)
    )

  const health: Respond = () => Effect.sync(() => jsonReply({ status: mesh.connected() ? "ok" : "disconnected" }))

  yield* serve(
    new Map([
      [Subject.service.read, read],
      [Subject.service.ensure, ensure],
      [Subject.service.coverage, coverage],
      [Subject.service.health, health]
    ])
  )
})

/** Serves the public subjects as long as the layer lives. */
export const layer: Layer.Layer<never, MeshUnavailable, Mesh | SeamlessDataProvider> = Layer.effectDiscard(make)
