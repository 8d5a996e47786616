/** Is every wrong request refused as such, with its field and what would be right, whichever service it is sent to? */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { pack } from "../../../protocol/wire/PlainPack.ts"
import { service } from "../../../protocol/wire/Subject.ts"
import * as MemoryMesh from "../../../runtime/MemoryMesh.ts"
import { Mesh } from "../../../runtime/Mesh.ts"
import * as memoryHost from "../../support/memoryHost.ts"
import { configuration } from "../../support/requests.ts"

const series = { nodeId: "ohlcv:binance:BTC/BUSD", interval: "1m" }
const range = { ...series, start: 0, end: 600_000 }
const versions = { ...series, fromVersion: 0, toVersion: 0 }

type Verb = "read" | "ensure" | "explain" | "coverage" | "diff" | "readMany"
const reading = ["read", "ensure", "explain"] as const

const decodeError = Schema.decodeUnknownSync(
  Schema.Struct({
    error: Schema.Struct({
      tag: Schema.String,
      message: Schema.String,
      field: Schema.optionalKey(Schema.String),
      problem: Schema.optionalKey(Schema.String)
    })
  })
)

/** The error that comes of some bytes. */
const refusal = Effect.fnUntraced(function* (
  verb: Verb,
  data: Uint8Array,
  given: Readonly<Record<string, string>> = {}
) {
  const mesh = yield* Mesh
  const headers = new Map(Object.entries(given))
  const reply = yield* mesh.request(service[verb], data, { headers, timeoutMs: 20_000 })
  const text = new TextDecoder().decode(reply.data)
  assert.isTrue(reply.headers.has("Nats-Service-Error"), `${verb}: ${text.slice(0, 200)}`)
  return decodeError(JSON.parse(text)).error
})

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

/** A request that is wrong in one field, and what is said of it. */
type Wrong = readonly [changes: object, field: string, problem: RegExp]

const ofSeries: ReadonlyArray<Wrong> = [
  [{ interval: "7x" }, "interval", /"7x" is no interval: .* such as 1m/],
  [{ interval: "" }, "interval", /"" is no interval/],
  [{ interval: "-1m" }, "interval", /"-1m" is no interval/],
  [{ interval: "99999999999999999d" }, "interval", /is no interval/],
  [{ interval: 60 }, "interval", /Expected string/],
  [{ nodeId: 5 }, "nodeId", /Expected string/],
  [{ nodeId: "" }, "nodeId", /1 to 256/],
  [{ nodeId: undefined }, "nodeId", /is missing/],
  [{ nope: 1 }, "nope", /is no field of a request/]
]

const ofRange: ReadonlyArray<Wrong> = [
  ...ofSeries,
  [{ start: undefined }, "start", /is missing/],
  [{ start: "0" }, "start", /Expected number/],
  [{ start: null }, "start", /Expected number/],
  [{ start: -0.5 }, "start", /Expected an integer/],
  [{ start: -8e18, end: 8e18 }, "start", /Expected an integer/],
  [{ end: 0 }, "start", /a range is \[start, end\)/],
  [{ end: -60_000 }, "start", /a range is \[start, end\)/],
  [{ strategy: "fast" }, "strategy", /is one of fail_fast/],
  [{ strict: "yes" }, "strict", /Expected boolean/],
  [{ sla: 5 }, "sla", /Expected object/],
  [{ sla: { totalDeadlineMs: -1 } }, "sla.totalDeadlineMs", /greater than or equal to 0/],
  [{ sla: { totalDeadlineMs: "5" } }, "sla.totalDeadlineMs", /Expected number/],
  [{ sla: { minCoverage: 2 } }, "sla.minCoverage", /between 0 and 1/],
  [{ sla: { nope: 1 } }, "sla.nope", /is no field/],
  [{ align: "round" }, "align", /"exact" \| "expand"/],
  [{ minVersion: -1 }, "minVersion", /greater than or equal to 0/],
  [{ minVersion: 1.5 }, "minVersion", /Expected an integer/],
  [{ sourcePriority: "binance" }, "sourcePriority", /Expected array/],
  [{ sourcePriority: ["nope"] }, "sourcePriority", /it has binance, kraken/],
  [{ consistency: "weak" }, "consistency", /"eventual" \| "strict"/],
  [{ requestId: 5 }, "requestId", /Expected string/]
]

const ofVersions: ReadonlyArray<Wrong> = [
  ...ofSeries,
  [{ fromVersion: -1 }, "fromVersion", /greater than or equal to 0/],
  [{ toVersion: 1.5 }, "toVersion", /Expected an integer/],
  [{ limit: 0 }, "limit", /between 1 and 1000/],
  [{ start: 60_000, end: 0 }, "start", /a range is/],
  [{ end: 0 }, "end", /without start/]
]

const wrong: ReadonlyArray<readonly [Verb, object, ReadonlyArray<Wrong>]> = [
  ...reading.map((verb) => [verb, range, ofRange] as const),
  ["coverage", series, [...ofSeries, [{ asOf: { version: -1 } }, "asOf.version", /greater than or equal to 0/]]],
  ["diff", versions, ofVersions]
]

/** Bodies that are none of a request, with the headers that they are sent with. */
const noRequests = [
  ["", {}, "body", /is no JSON/],
  ["{", {}, "body", /is no JSON/],
  ['{"start": NaN}', {}, "body", /is no JSON/],
  ["null", {}, "request", /Expected object/],
  ["[]", {}, "request", /Expected object/],
  ["5", {}, "request", /Expected object/],
  ["{}", { "Content-Type": "application/msgpack" }, "body", /is no plain MessagePack/],
  ["", { "Content-Type": "application/msgpack" }, "body", /is no plain MessagePack/],
  ["{}", { "Content-Type": "text/csv" }, "Content-Type", /send application\/json or application\/msgpack/],
  ["{}", { Accept: "text/csv" }, "Accept", /ask for application\/json/]
] as const

const claim = (title: string, run: () => Effect.Effect<void, unknown, Mesh>) =>
  it.live(title, () =>
    Effect.gen(function* () {
      yield* memoryHost.start({ configuration, sources: [] })
      yield* run()
    }).pipe(Effect.scoped, Effect.provide(MemoryMesh.layer))
  )

describe("a wrong request", () => {
  claim("is refused with its field and what would be right, in either form", () =>
    Effect.gen(function* () {
      const packed = { "Content-Type": "application/msgpack" }
      for (const [verb, right, changes] of wrong) {
        for (const [change, field, problem] of changes) {
          const body = { ...right, ...change }
          const what = `${verb} ${JSON.stringify(change)}`
          const [plain, other] = [
            yield* refusal(verb, bytes(JSON.stringify(body))),
            yield* refusal(verb, pack(body), packed)
          ]
          assert.deepInclude(plain, { tag: "InvalidRequest", field }, what)
          assert.match(plain.problem ?? "", problem, what)
          assert.deepStrictEqual(other, plain, what)
        }
      }
    })
  )

  claim("whose body is none is refused by every service", () =>
    Effect.gen(function* () {
      for (const verb of [...reading, "coverage", "diff", "readMany"] as const) {
        for (const [body, headers, field, problem] of noRequests) {
          const error = yield* refusal(verb, bytes(body), headers)
          assert.deepInclude(error, { tag: "InvalidRequest", field }, `${verb} ${body}`)
          assert.match(error.problem ?? "", problem, `${verb} ${body}`)
        }
        const huge = yield* refusal(verb, new Uint8Array(1024 * 1024 + 1))
        assert.strictEqual(huge.tag, "RequestTooLarge")
        assert.match(huge.message, /1048577 bytes; at most (65536|1048576) are taken/)
      }
    })
  )

  claim("of an absurd range is told how many bars there may be, or where its grid is", () =>
    Effect.gen(function* () {
      const [start, end] = [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER]
      for (const verb of reading) {
        const large = yield* refusal(verb, bytes(JSON.stringify({ ...series, start, end, align: "expand" })))
        assert.deepInclude(large, { tag: "RangeTooLarge" })
        // an explanation has no rows: it may be of what is read in parts
        assert.match(large.message, verb === "explain" ? /at most 10000000/ : /at most 50000/)
        const unaligned = yield* refusal(verb, bytes(JSON.stringify({ ...series, start: 1, end })))
        assert.strictEqual(unaligned.tag, "UnalignedRange")
      }
    })
  )
})
