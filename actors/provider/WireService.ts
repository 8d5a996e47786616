/**
 * How is the public API served on NATS?
 *
 * JSON or MessagePack in, as the request's `Content-Type` says; the same, or Arrow for a read, out, as its `Accept`
 * says. An error is an answer with a tag, a code and a body; a refused read has the account of the answer that was
 * refused beside it.
 */
import { Effect, Layer, Schema } from "effect"
import { ResultTooLarge } from "../../protocol/history/Errors.ts"
import { HistoryDiff } from "../../protocol/history/HistoryDiff.ts"
import { AvailabilityResult, CoverageReport } from "../../protocol/history/HistoryResult.ts"
import { defaults } from "../../protocol/Settings.ts"
import { ReadExplanation } from "../../protocol/history/ReadExplanation.ts"
import type { MeshUnavailable } from "../../protocol/wire/Errors.ts"
import { healthStatus } from "../../protocol/wire/HostReport.ts"
import * as Subject from "../../protocol/wire/Subject.ts"
import * as Credits from "../../runtime/Credits.ts"
import { enforce, withBudget } from "../../runtime/Deadline.ts"
import { HostStatus } from "../../runtime/HostStatus.ts"
import { headroomBytes, Mesh, type Message } from "../../runtime/Mesh.ts"
import {
  refusalReply,
  type Reply,
  type Respond,
  serve,
  type Tagged,
  valueReply
} from "../../runtime/ServiceEndpoint.ts"
import { encodeInTime } from "./encodeReply.ts"
import * as EncodingTurns from "./EncodingTurns.ts"
import { encodeMeta } from "./historyReply.ts"
import * as PartedReads from "./PartedReads.ts"
import { partsWanted } from "./partsWanted.ts"
import { makeReadMany } from "./readMany.ts"
import { acceptOf, bodyOf, plainAcceptOf } from "./requestForms.ts"
import { SeamlessDataProvider } from "./SeamlessDataProvider.ts"

/** The coverage is one read of one record: who gets no answer by then gets none. */
const coverageBudgetMs = 5000

/** What a read would do is looked up in records: who gets no answer by then gets none. */
const explainBudgetMs = 5000

/** A difference is of a bounded number of windows: who gets no answer by then gets none. */
const diffBudgetMs = 15_000

const encodeExplanation = Schema.encodeSync(ReadExplanation)
const encodeDiff = Schema.encodeSync(HistoryDiff)
const encodeAvailability = Schema.encodeSync(AvailabilityResult)
const encodeCoverage = Schema.encodeSync(CoverageReport)

/** What answers the verbs that only a host answers that takes work. */
const bySubject = (verbs: Readonly<Record<Exclude<keyof typeof Subject.service, "health">, Respond>>) => {
  const { coverage, diff, ensure, explain, read, readMany } = Subject.service
  return new Map([
    [read, verbs.read],
    [readMany, verbs.readMany],
    [ensure, verbs.ensure],
    [coverage, verbs.coverage],
    [diff, verbs.diff],
    [explain, verbs.explain]
  ])
}

/** An answer that the server would not carry is an error that says so. */
const fittingIn =
  (mesh: Mesh["Service"]) =>
  (message: Message) =>
  (reply: Reply): Reply => {
    const bytes = reply.data.length
    const bytesMax = mesh.payloadBytesMax() - headroomBytes
    return bytes <= bytesMax ? reply : refusalReply(message, new ResultTooLarge({ bytes, bytesMax }))
  }

const healthOf =
  (status: HostStatus["Service"], hostId: string): Respond =>
  (message) =>
    Effect.map(plainAcceptOf(message), (form) => {
      const reason = status.reason()
      return valueReply({ status: healthStatus(status.state()), ...(reason !== "" && { reason }), hostId }, form)
    }).pipe(Effect.catch((error) => Effect.succeed(refusalReply(message, error))))

/** Who serves, and how many requests of one caller at once. */
interface WireOptions {
  readonly hostId: string
  readonly requestsPerCaller?: number | undefined
}

const make = Effect.fnUntraced(function* ({ hostId, requestsPerCaller = defaults.requestsPerCaller }: WireOptions) {
  const provider = yield* SeamlessDataProvider
  const status = yield* HostStatus
  const mesh = yield* Mesh
  const turns = yield* EncodingTurns.make
  const credits = yield* Credits.make
  const readParted = yield* PartedReads.make(turns, credits)

  const fitting = fittingIn(mesh)

  /** Answers in JSON or MessagePack, within so long. */
  const shortly =
    (what: string, budgetMs: number, perform: (body: unknown) => Effect.Effect<unknown, Tagged>): Respond =>
    (message) =>
      Effect.gen(function* () {
        const form = yield* plainAcceptOf(message)
        return valueReply(yield* perform(yield* bodyOf(message)), form)
      }).pipe(
        enforce(what),
        withBudget(budgetMs),
        Effect.catch((error) => Effect.succeed(refusalReply(message, error))),
        Effect.map(fitting(message))
      )

  const read: Respond = (message) =>
    Effect.gen(function* () {
      const form = yield* acceptOf(message)
      const wanted = yield* partsWanted(message)
      if (wanted !== undefined) return yield* readParted(message, form, wanted)
      const { result, returnMeta } = yield* provider.read(yield* bodyOf(message))
      return yield* encodeInTime(turns, result, { form, returnMeta })
    }).pipe(
      Effect.catchTag("Refused", ({ error, result }) =>
        Effect.succeed(refusalReply(message, error, { meta: encodeMeta(result.meta) }))
      ),
      Effect.catch((error) => Effect.succeed(refusalReply(message, error))),
      Effect.map(fitting(message))
    )

  const bytesMax = () => mesh.payloadBytesMax() - headroomBytes
  const readMany = makeReadMany({ provider, turns, credits, bytesMax })

  const ensure: Respond = (message) =>
    Effect.gen(function* () {
      const form = yield* plainAcceptOf(message)
      return valueReply(encodeAvailability(yield* provider.ensureAvailable(yield* bodyOf(message))), form)
    }).pipe(
      Effect.catchTag("NotAvailable", ({ error, result }) =>
        Effect.succeed(refusalReply(message, error, { result: encodeAvailability(result) }))
      ),
      Effect.catch((error) => Effect.succeed(refusalReply(message, error))),
      Effect.map(fitting(message))
    )

  const coverage = shortly("the coverage", coverageBudgetMs, (body) =>
    Effect.map(provider.coverage(body), encodeCoverage)
  )
  const explain = shortly("the explanation", explainBudgetMs, (body) =>
    Effect.map(provider.explain(body), encodeExplanation)
  )
  const diff = shortly("the difference", diffBudgetMs, (body) => Effect.map(provider.diff(body), encodeDiff))

  yield* serve(bySubject({ read, readMany, ensure, coverage, diff, explain }), { requestsPerCaller })
  // who drains has that to say
  yield* serve(new Map([[Subject.service.health, healthOf(status, hostId)]]), { isServedDraining: true })
})

/** Serves the public subjects as long as the layer lives, as the host of that label. */
export const layer = (
  options: WireOptions
): Layer.Layer<never, MeshUnavailable, Mesh | SeamlessDataProvider | HostStatus> => Layer.effectDiscard(make(options))
