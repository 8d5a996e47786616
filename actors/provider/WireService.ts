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
import type { DeadlineExceeded, MeshUnavailable } from "../../protocol/wire/Errors.ts"
import { arrowMetaKey, dictionaryParameter, Header, MediaType } from "../../protocol/wire/Header.ts"
import { healthStatus } from "../../protocol/wire/HostReport.ts"
import * as Subject from "../../protocol/wire/Subject.ts"
import { enforce, withBudget } from "../../runtime/Deadline.ts"
import { HostStatus } from "../../runtime/HostStatus.ts"
import { headroomBytes, Mesh, type Message } from "../../runtime/Mesh.ts"
import { errorReply, jsonReply, type Reply, type Respond, serve } from "../../runtime/ServiceEndpoint.ts"
import { SeamlessDataProvider } from "./SeamlessDataProvider.ts"

/** The coverage is one read of one record: who gets no answer by then gets none. */
const coverageBudgetMs = 5000

const encodeMeta = Schema.encodeSync(HistoryMeta)
const encodeAvailability = Schema.encodeSync(AvailabilityResult)
const encodeCoverage = Schema.encodeSync(CoverageReport)

const textEncoder = new TextEncoder()

const jsonText = (text: string): Reply => ({
  data: textEncoder.encode(text),
  headers: new Map([[Header.contentType, MediaType.json]])
})

/** What an answer is wanted in: JSON, or Arrow with categories in one of their forms. */
type AnswerForm = "json" | FrameCodec.CategoryForm

const arrowReply = ({ df, meta }: HistoryResult, categories: FrameCodec.CategoryForm, returnMeta: boolean): Reply => {
  const metadata = new Map(returnMeta ? [[arrowMetaKey, JSON.stringify(encodeMeta(meta))]] : [])
  return {
    data: FrameCodec.encode(df, { lineage: "columns", metadata, categories }),
    headers: new Map([[Header.contentType, MediaType.arrow]])
  }
}

const historyReply = (result: HistoryResult, form: AnswerForm, returnMeta: boolean): Reply => {
  if (form !== "json") return arrowReply(result, form, returnMeta)
  const types = FrameJson.typesOf(result.df)
  const typesText = Object.keys(types).length === 0 ? "" : `,"types":${JSON.stringify(types)}`
  const meta = returnMeta ? `,"meta":${JSON.stringify(encodeMeta(result.meta))}` : ""
  return jsonText(`{"columns":${FrameJson.toText(result.df)}${typesText}${meta}}`)
}

/** One of the forms that a header lists, with its parameters as they are written. */
interface Form {
  readonly name: string
  readonly parameters: ReadonlyArray<string>
}

/** The forms that a header lists, in its order. */
const formsOf = (header: string): ReadonlyArray<Form> =>
  header.split(",").map((form) => {
    const [name = "", ...parameters] = form.split(";").map((part) => part.trim().toLowerCase())
    return { name, parameters }
  })

const bodyOf = ({ data, headers }: Message): Effect.Effect<unknown, InvalidRequest> => {
  const form = headers.get(Header.contentType) ?? MediaType.json
  if (formsOf(form)[0]?.name !== MediaType.json) {
    return Effect.fail(
      new InvalidRequest({ field: Header.contentType, problem: `${form} is not served: send ${MediaType.json}` })
    )
  }
  return Option.match(Codec.fromJson(data), {
    onNone: () => Effect.fail(new InvalidRequest({ field: "body", problem: "is no JSON" })),
    onSome: Effect.succeed
  })
}

const acceptOf = ({ headers }: Message): Effect.Effect<AnswerForm, InvalidRequest> => {
  const accept = headers.get(Header.accept) ?? MediaType.json
  const served: ReadonlyArray<string> = [MediaType.arrow, MediaType.json, "*/*"]
  const form = formsOf(accept).find(({ name }) => served.includes(name))
  if (form !== undefined) {
    if (form.name !== MediaType.arrow) return Effect.succeed("json")
    return Effect.succeed(form.parameters.includes(`${dictionaryParameter}=true`) ? "dictionary" : "text")
  }
  const problem = `${accept} is not served: ask for ${MediaType.json} or ${MediaType.arrow}`
  return Effect.fail(new InvalidRequest({ field: Header.accept, problem }))
}

/** Answers of fewer rows take less than a millisecond to encode, and wait for nobody. */
const smallRows = 1000

// a large answer takes milliseconds to encode: many that are ready at once must not keep the host from its heartbeats,
// so they are encoded one after another, and everything else gets its turn in between
const encoding = Semaphore.makeUnsafe(1)

/** Encodes an answer; one whose time is over before its turn comes is told so, and not encoded. */
const inTurn = ({ df, meta }: HistoryResult, encode: () => Reply): Effect.Effect<Reply, DeadlineExceeded> => {
  if (df.eventTimeMs.length < smallRows) return Effect.sync(encode)
  const { elapsedMs, totalDeadlineMs } = meta.slaReport
  const turn = encoding.withPermits(1)(Effect.tap(Effect.sync(encode), () => Effect.sleep(0)))
  return totalDeadlineMs === null
    ? turn
    : turn.pipe(enforce("the turn to encode the answer"), withBudget(Math.max(0, totalDeadlineMs - elapsedMs)))
}

const make = Effect.fnUntraced(function* (hostId: string) {
  const provider = yield* SeamlessDataProvider
  const status = yield* HostStatus
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
      const form = yield* acceptOf(message)
      const { result, returnMeta } = yield* provider.read(yield* bodyOf(message))
      return yield* inTurn(result, () => historyReply(result, form, returnMeta))
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
      enforce("the coverage"),
      withBudget(coverageBudgetMs),
      Effect.catch((error) => Effect.succeed(errorReply(error))),
      Effect.map(fitting)
    )

  const health: Respond = () =>
    Effect.sync(() => {
      const reason = status.reason()
      return jsonReply({ status: healthStatus(status.state()), ...(reason !== "" && { reason }), hostId })
    })

  yield* serve(
    new Map([
      [Subject.service.read, read],
      [Subject.service.ensure, ensure],
      [Subject.service.coverage, coverage]
    ])
  )
  // who drains has that to say
  yield* serve(new Map([[Subject.service.health, health]]), { isServedDraining: true })
})

/** Serves the public subjects as long as the layer lives, as the host of that label. */
export const layer = (options: {
  readonly hostId: string
}): Layer.Layer<never, MeshUnavailable, Mesh | SeamlessDataProvider | HostStatus> =>
  Layer.effectDiscard(make(options.hostId))
