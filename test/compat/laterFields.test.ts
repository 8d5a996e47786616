/**
 * Does a host pass over what one of a later build adds to records and messages?
 *
 * In a cluster that is upgraded host by host both write the same records and answer each other. Each stored record, and
 * each message between hosts, is given a field that no build knows, in every object of it that has fields, and has to
 * read as without it. What an earlier build left out is in `vectors.test.ts`.
 */
import { readFileSync } from "node:fs"
import { Effect, Option, Schema } from "effect"
import { assert, describe, it } from "@effect/vitest"
import { unpackReply } from "../../cluster/ReplyCodec.ts"
import { BackfillJob } from "../../protocol/history/BackfillJob.ts"
import { CoveragePage } from "../../protocol/history/CoveragePage.ts"
import { CoverageRoot } from "../../protocol/history/CoverageRoot.ts"
import { confirmMessage } from "../../protocol/messages/ConfirmCoverage.ts"
import { ensureMessage } from "../../protocol/messages/Coverage.ts"
import { SwitchRecord } from "../../protocol/Switches.ts"
import { Envelope, ReplyEnvelope } from "../../protocol/wire/Envelope.ts"
import { SessionRecord, SlotValue } from "../../protocol/wire/HostRecords.ts"
import type { Answer } from "../../runtime/Actor.ts"
import { ActorSystem, ask } from "../../runtime/ActorSystem.ts"
import * as Codec from "../../protocol/wire/Codec.ts"

type Decode = (value: unknown) => Option.Option<unknown>

const vector = (name: string, ...path: ReadonlyArray<string | number>): unknown =>
  path.reduce<unknown>(
    (value, step) => (value as Readonly<Record<string | number, unknown>>)[step],
    JSON.parse(readFileSync(new URL(`../../protocol/vectors/${name}.json`, import.meta.url), "utf8"))
  )

/** By name, or whatever an actor is told: here another key is no field of a later build. */
const open = new Set(["words", "body"])

/** The value as a later build might have it: each object has a field more. */
const later = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(later)
  if (typeof value !== "object" || value === null) return value
  const entries = Object.entries(value).map(([key, each]) => [
    key,
    open.has(key) && typeof each === "object" && each !== null
      ? Object.fromEntries(Object.entries(each).map(([name, inner]) => [name, later(inner)]))
      : later(each)
  ])
  return { ...Object.fromEntries(entries), addedLater: { by: ["a later build"] } }
}

const cases: ReadonlyArray<readonly [string, Decode, unknown]> = [
  ["a root", Schema.decodeUnknownOption(CoverageRoot), vector("root", "roots", 0, "root")],
  ["a page", Schema.decodeUnknownOption(CoveragePage), vector("page", "record")],
  ["a job", Schema.decodeUnknownOption(BackfillJob), vector("job", "running")],
  ["the switches", Schema.decodeUnknownOption(SwitchRecord), vector("switches", "record", "value")],
  ["a session", Schema.decodeUnknownOption(SessionRecord), vector("hosts", "session", "value")],
  ["a slot", Schema.decodeUnknownOption(SlotValue), vector("hosts", "slot", "value")],
  [
    "a demand",
    Schema.decodeUnknownOption(ensureMessage.payload),
    vector("actorMessage", "request", "value", "body", "payload")
  ]
]

const series = { nodeId: "ohlcv:binance:BTC/BUSD", interval: "1m" }

/** Answers whatever is asked like this. */
const answering = (answer: Answer) =>
  ActorSystem.of({
    deliver: () => Effect.succeed(answer),
    tell: () => Effect.void,
    tally: () => {
      throw new Error("nobody counts here")
    }
  })

describe("what a later build adds", () => {
  it.each(cases)("%s reads as without it", (_, decode, value) => {
    const known = decode(value)
    assert.isTrue(Option.isSome(known))
    assert.deepStrictEqual(decode(later(value)), known)
  })

  it("an envelope and its reply read as without it, but for what they carry", () => {
    const request = Schema.decodeUnknownOption(Envelope)
    const value = vector("actorMessage", "request", "value")
    const { body: _, ...known } = Option.getOrThrow(request(value))
    const { body: __, ...read } = Option.getOrThrow(request(later(value)))
    assert.deepStrictEqual(read, known)
    const reply = Schema.decodeUnknownOption(ReplyEnvelope)
    assert.deepStrictEqual(
      reply({ format: 1, accepted: "host-1", addedLater: 1 }),
      reply({ format: 1, accepted: "host-1" })
    )
  })
})

describe("what a later build would have to count as another form", () => {
  it("a record of another format is not read", () => {
    for (const [what, decode, value] of cases.slice(0, 4)) {
      assert.isTrue(Option.isNone(decode({ ...(value as object), format: 2 })), what)
    }
  })

  it("a job in a state that this build does not know is not taken for one in another", () => {
    const decode = Schema.decodeUnknownOption(BackfillJob)
    const job = vector("job", "running") as object
    assert.isTrue(Option.isNone(decode({ ...job, state: "RESTING" })))
    assert.isTrue(Option.isNone(decode({ ...job, jobClass: "idle" })))
  })

  it("unpackReply() gives nothing of a refusal that this build does not know: its asker sends again", () => {
    const undelivered = { _tag: "HostAsleep", message: "later" }
    assert.isUndefined(unpackReply(Codec.pack({ format: 1, undelivered })))
    assert.isUndefined(unpackReply(Codec.pack({ format: 2, body: 1 })))
    assert.deepStrictEqual(unpackReply(Codec.pack({ format: 1, body: 1, addedLater: 2 })), { body: 1 })
  })

  it.effect("ask() tells who asked that an answer is of a later build, and does not die of it", () =>
    Effect.gen(function* () {
      const asking = (answer: Answer) =>
        Effect.flip(Effect.provideService(ask(confirmMessage)("key", { series }), ActorSystem, answering(answer)))
      for (const answer of [{ error: { _tag: "SeriesAsleep", until: 1 } }, { body: { version: "seventeen" } }]) {
        const error = yield* asking(answer)
        assert.strictEqual(error._tag, "MalformedMessage")
        assert.include(error.message, "the answer of coverage to confirm can't be read")
      }
    })
  )
})
