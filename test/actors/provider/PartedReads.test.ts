/** Do answers in parts leave others room, and is their place given back however they end? */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Option, Schema } from "effect"
import { TestClock } from "effect/testing"
import type { RowFlow } from "../../../actors/provider/readParts.ts"
import { SeamlessDataProvider } from "../../../actors/provider/SeamlessDataProvider.ts"
import * as WireService from "../../../actors/provider/WireService.ts"
import * as Frame from "../../../protocol/frame/Frame.ts"
import { HistoryMeta } from "../../../protocol/history/HistoryResult.ts"
import * as CallSubject from "../../../protocol/wire/CallSubject.ts"
import { Header } from "../../../protocol/wire/Header.ts"
import { limits } from "../../../protocol/wire/Limits.ts"
import { service } from "../../../protocol/wire/Subject.ts"
import { HostStatus } from "../../../runtime/HostStatus.ts"
import * as MemoryMesh from "../../../runtime/MemoryMesh.ts"
import { Mesh, type Message } from "../../../runtime/Mesh.ts"
import { meta as wireMeta } from "../../client/answers.ts"
import { floats } from "../../support/floatFrames.ts"

const unused = Effect.die("only reads in parts are asked")
const meta = Schema.decodeUnknownSync(HistoryMeta)(wireMeta)
const rows = 5000

const frame: Frame.Frame = {
  eventTimeMs: Float64Array.from({ length: rows }, (_, row) => row * 60_000),
  columns: [floats("close", ...Array.from({ length: rows }, (_, row) => row / 3))],
  flags: new Uint32Array(rows),
  lineage: [{ rows, source: "binance", ingestAtMs: 1, jobId: "j" }]
}

/** Some parts, or rows that never come. */
const flowOf = (isStuck: boolean): RowFlow<never> => {
  let left = 3
  return {
    next: isStuck ? Effect.never : Effect.sync(() => (left-- > 0 ? Option.some(frame) : Option.none())),
    account: Effect.succeed({ meta, error: undefined }),
    returnMeta: true,
    waitMs: 5000,
    firstWaitMs: Effect.succeed(5000),
    goneByMs: () => 0,
    cursorAt: () => "c",
    barMs: 60_000,
    empty: Frame.slice(frame, 0, 0),
    isResumed: false
  }
}

/** A host whose answers all go out in parts; counts those that it has begun with. */
const serving = (begun: { count: number }) =>
  WireService.layer({ hostId: "a" }).pipe(
    Layer.provide(
      Layer.succeed(SeamlessDataProvider, {
        read: () => unused,
        readParts: (request, _cursor, place = Effect.void) =>
          Effect.map(place, () => {
            begun.count++
            return { flow: flowOf(JSON.stringify(request).includes("stuck")), whole: undefined }
          }),
        ensureAvailable: () => unused,
        coverage: () => unused,
        explain: () => unused,
        diff: () => unused
      })
    ),
    Layer.provide(Layer.succeed(HostStatus, { state: () => "serving", reason: () => "", draining: Effect.never })),
    Layer.provideMerge(MemoryMesh.layer)
  )

const yieldAll = Effect.repeat(Effect.yieldNow, { times: 100 })

interface Asked {
  readonly subject?: string
  readonly body?: object
}

/** Asks for one part at once, and takes no more; gives what has come. */
const ask = Effect.fnUntraced(function* (caller: string, call = "", asked: Asked = {}) {
  const { subject = service.read, body = { nodeId: "a" } } = asked
  const mesh = yield* Mesh
  const came: Array<Message> = []
  const headers = new Map([
    [Header.credit, "1"],
    [Header.accept, "application/vnd.apache.arrow.stream"],
    [Header.caller, caller],
    [Header.call, call]
  ])
  const data = new TextEncoder().encode(JSON.stringify(body))
  const onAnswer = (message: Message): void => void came.push(message)
  yield* Effect.forkScoped(mesh.requestMany(subject, data, { headers, timeoutMs: 600_000, onAnswer }))
  yield* yieldAll
  return came
})

const errorOf = (came: ReadonlyArray<Message>): unknown =>
  came[0]?.headers.has(Header.error) === true ? JSON.parse(new TextDecoder().decode(came[0].data)).error : undefined

const share = { tag: "TooManyRequests", limit: "answersInParts", requestsMax: 32, retryAfterMs: 1000 }

/** As many answers as one caller may have. */
const askAll = (caller: string, nodeId = "a") =>
  Effect.forEach(Array.from({ length: 32 }), (_, index) => ask(caller, `${caller}-${index}`, { body: { nodeId } }))

const claim = (title: string, run: (begun: { count: number }) => Effect.Effect<void, unknown, Mesh>) => {
  const begun = { count: 0 }
  // a host ends when its answers have, and these end for want of credits
  const ended = Effect.andThen(TestClock.adjust("31 seconds"), yieldAll)
  it.effect(title, () => Effect.andThen(run(begun), ended).pipe(Effect.provide(serving(begun))))
}

describe("answers in parts", () => {
  claim("of one caller are half of all at most, and one too many is refused before anything is done for it", (begun) =>
    Effect.gen(function* () {
      for (const came of yield* askAll("alice")) assert.isUndefined(errorOf(came))
      assert.deepInclude(errorOf(yield* ask("alice")), { ...share, caller: "alice" })
      for (const came of yield* askAll("bob")) assert.isUndefined(errorOf(came))
      const full = { tag: "MailboxFull", limit: "answersInParts", limitMax: 64, retryAfterMs: 1000 }
      assert.deepInclude(errorOf(yield* ask("carol")), full)
      assert.strictEqual(begun.count, 64)
    }).pipe(Effect.scoped)
  )

  claim("of a batch take none of these places, and have no more than four of their own", (begun) =>
    Effect.gen(function* () {
      for (const caller of ["alice", "bob"]) yield* askAll(caller)
      const requests = Array.from({ length: 9 }, () => ({ nodeId: "a" }))
      const came = yield* ask("carol", "", { subject: service.readMany, body: { requests } })
      assert.isUndefined(errorOf(came))
      assert.strictEqual(came[0]?.headers.get(Header.part), "0")
      assert.strictEqual(begun.count, 64 + limits.partedReadsAtOnce)
      assert.isAtMost(limits.batches * limits.partedReadsAtOnce, limits.answersInParts)
    }).pipe(Effect.scoped)
  )

  claim("that are called off leave their place", () =>
    Effect.gen(function* () {
      yield* askAll("alice")
      assert.deepInclude(errorOf(yield* ask("alice")), share)
      yield* (yield* Mesh).publish(CallSubject.cancel("alice-7"), new Uint8Array(0))
      yield* yieldAll
      assert.isUndefined(errorOf(yield* ask("alice")))
      assert.deepInclude(errorOf(yield* ask("alice")), share)
    }).pipe(Effect.scoped)
  )

  claim("whose reader has gone leave their place when it has granted nothing for half a minute", () =>
    Effect.gen(function* () {
      // the scope of a reader that is gone is closed: nobody hears what is sent
      yield* Effect.scoped(askAll("alice"))
      yield* TestClock.adjust("29 seconds")
      assert.deepInclude(errorOf(yield* ask("alice")), share)
      yield* TestClock.adjust("1 second")
      yield* yieldAll
      for (const came of yield* askAll("alice")) assert.isUndefined(errorOf(came))
    }).pipe(Effect.scoped)
  )

  claim("whose rows do not come in time leave their place", () =>
    Effect.gen(function* () {
      const stuck = yield* askAll("alice", "stuck")
      assert.deepInclude(errorOf(yield* ask("alice")), share)
      yield* TestClock.adjust("5 seconds")
      yield* yieldAll
      for (const came of stuck) assert.deepInclude(errorOf(came), { tag: "DeadlineExceeded" })
      for (const came of yield* askAll("alice")) assert.isUndefined(errorOf(came))
    }).pipe(Effect.scoped)
  )

  claim("that are taken to their end leave their place", () =>
    Effect.gen(function* () {
      const mesh = yield* Mesh
      const all = yield* askAll("alice")
      for (let grants = 0; grants < 20; grants++) {
        for (const came of all) {
          yield* mesh.publish(came[0]?.headers.get(Header.flow) ?? "", new TextEncoder().encode("1"))
        }
        yield* yieldAll
      }
      for (const came of all) assert.strictEqual(came.at(-1)?.headers.get(Header.last), "true")
      for (const came of yield* askAll("alice")) assert.isUndefined(errorOf(came))
    }).pipe(Effect.scoped)
  )
})
