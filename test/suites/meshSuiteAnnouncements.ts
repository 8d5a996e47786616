/** What must the port to NATS announce of changes, whatever is behind it? */
import { assert } from "@effect/vitest"
import { Effect } from "effect"
import * as Announcement from "../../protocol/wire/Announcement.ts"
import * as Stream from "../../protocol/wire/Stream.ts"
import { Mesh } from "../../runtime/Mesh.ts"
import { untilTrue } from "../support/untilTrue.ts"
import { type Claim, fresh, recordAt, revisionOf, textOf, told } from "./meshSuiteTools.ts"

/** One announcement, as far as anyone goes by it. */
interface Announced {
  readonly text: string
  readonly revision: number
  readonly previous: number
  readonly operation: string | undefined
  readonly reason: string | undefined
}

/** Where changes of a key are announced. */
const announcedAt = (bucket: string, key: string): string => Announcement.changed(bucket).replace(/>$/, key)

/** What is announced on a subject from now on. */
export const announcementsOn = Effect.fnUntraced(function* (subject: string) {
  const mesh = yield* Mesh
  const got: Array<Announced> = []
  const headers: Array<ReadonlyMap<string, string>> = []
  yield* mesh.subscribe(subject, (message) => {
    headers.push(message.headers)
    got.push({
      text: textOf(message.data),
      revision: Number(message.headers.get("Nats-Sequence")),
      previous: Number(message.headers.get("Nats-Last-Sequence")),
      operation: message.headers.get("KV-Operation"),
      reason: message.headers.get("Nats-Marker-Reason")
    })
  })
  const until = (count: number) =>
    untilTrue(
      `${count} announcements came`,
      Effect.sync(() => got.length >= count)
    )
  return { got, headers, until }
})

/** A change as it is announced. */
const change = (text: string, revision: number, previous: number): Announced => ({
  text,
  revision,
  previous,
  operation: undefined,
  reason: undefined
})

const orderClaims = (claim: Claim): void => {
  claim("each change is announced in order, with its revision, the one before, and where it is from", () =>
    Effect.gen(function* () {
      const { key, subject, write } = yield* recordAt(Stream.slots)
      const { got, headers, until } = yield* announcementsOn(announcedAt("slots", key))
      const first = yield* write("a", { expect: 0 })
      const second = yield* write("b", { expect: first })
      const third = yield* write("c")
      const end = yield* write("", { expect: third, remove: true })
      const anew = yield* write("d", { expect: end })
      yield* until(5)
      assert.deepStrictEqual(got, [
        change("a", first, 0),
        change("b", second, first),
        change("c", third, second),
        { ...change("", end, third), operation: "DEL" },
        change("d", anew, end)
      ])
      for (const one of headers) {
        assert.strictEqual(one.get("Nats-Stream"), Stream.slots.name)
        assert.strictEqual(one.get("Nats-Subject"), subject)
        assert.isFalse(Number.isNaN(Date.parse(one.get("Nats-Time-Stamp") ?? "")))
        assert.isFalse(one.has("Nats-Msg-Size"))
      }
      assert.deepStrictEqual(
        headers.map((one) => one.get("Nats-Expected-Last-Subject-Sequence")),
        ["0", String(first), undefined, String(third), String(end)]
      )
    })
  )

  claim("a stream that announces headers alone says how much it holds back", () =>
    Effect.gen(function* () {
      const { key, write } = yield* recordAt(Stream.coverage)
      const { got, headers, until } = yield* announcementsOn(announcedAt("coverage", key))
      const first = yield* write("abc", { expect: 0 })
      const end = yield* write("", { expect: first, remove: true })
      yield* until(2)
      assert.deepStrictEqual(got, [change("", first, 0), { ...change("", end, first), operation: "DEL" }])
      assert.deepStrictEqual(
        headers.map((one) => one.get("Nats-Msg-Size")),
        ["3", "0"]
      )
    })
  )

  claim("changes of all keys of a bucket are announced in the order of their revisions", () =>
    Effect.gen(function* () {
      const root = fresh()
      const keys = ["a", "b", "c"].map((key) => `${root}.${key}`)
      const records = yield* Effect.forEach(keys, (key) => recordAt(Stream.slots, key))
      const { got, until } = yield* announcementsOn(announcedAt("slots", `${root}.*`))
      const writes = Array.from({ length: 30 }, (_, at) => records[at % 3]!.write(String(at)))
      yield* Effect.all(writes, { concurrency: "unbounded" })
      yield* until(30)
      assert.deepStrictEqual(
        got,
        got.toSorted((a, b) => a.revision - b.revision)
      )
      const lasts = new Map<string, number>()
      for (const { previous, revision, text } of got) {
        const key = keys[Number(text) % 3]!
        assert.strictEqual(previous, lasts.get(key) ?? 0)
        lasts.set(key, revision)
      }
    })
  )

  claim("what is refused, and what no one may hear of, is not announced", () =>
    Effect.gen(function* () {
      const { key, write } = yield* recordAt(Stream.slots)
      const silent = yield* recordAt(Stream.actors, key)
      const { got, until } = yield* announcementsOn(`seamless.v1.changed.*.${key}`)
      yield* Effect.flip(write("a", { expect: 7 }))
      yield* Effect.flip(write("a", { ttlSeconds: 1 }))
      yield* silent.write("a")
      const first = yield* write("b")
      yield* until(1)
      assert.deepStrictEqual(got, [change("b", first, 0)])
    })
  )
}

const endClaims = (claim: Claim): void => {
  claim("the end of a lease is announced by its mark, upon which the next change follows", () =>
    Effect.gen(function* () {
      const { key, read, write } = yield* recordAt(Stream.sessions)
      const { got, headers, until } = yield* announcementsOn(announcedAt("sessions", key))
      const first = yield* write("a", { expect: 0, ttlSeconds: 1 })
      yield* until(2)
      const end = revisionOf(yield* read)
      assert.deepStrictEqual(got, [change("a", first, 0), { ...change("", end, first), reason: "MaxAge" }])
      assert.strictEqual(headers[0]!.get("Nats-TTL"), "1s")
      assert.strictEqual(headers[1]!.get("Nats-TTL"), "1m0s")
      assert.strictEqual(headers[1]!.get("Nats-Rollup"), "sub")
      const anew = yield* write("b", { expect: end })
      yield* until(3)
      assert.deepStrictEqual(got.at(-1), change("b", anew, end))
    })
  )

  claim("the end of a record that leaves no mark is not announced, and the next change has none before it", () =>
    Effect.gen(function* () {
      const { key, read, write } = yield* recordAt(Stream.jobs)
      const { got, until } = yield* announcementsOn(announcedAt("jobs", key))
      const first = yield* write("a", { expect: 0, ttlSeconds: 1 })
      yield* untilTrue(
        "the record has ended",
        Effect.map(read, (stored) => told(stored) === "absent")
      )
      const anew = yield* write("b", { expect: 0 })
      yield* until(2)
      assert.deepStrictEqual(got, [change("a", first, 0), change("b", anew, 0)])
    })
  )

  claim("dequeue() of a lease is not announced, and the next change has none before it", () =>
    Effect.gen(function* () {
      const mesh = yield* Mesh
      const { key, read, subject, write } = yield* recordAt(Stream.sessions)
      const { got, until } = yield* announcementsOn(announcedAt("sessions", key))
      const first = yield* write("a", { expect: 0 })
      yield* mesh.dequeue(Stream.sessions.name, subject)
      assert.strictEqual(told(yield* read), "absent")
      const anew = yield* write("b", { expect: 0 })
      yield* until(2)
      assert.deepStrictEqual(got, [change("a", first, 0), change("b", anew, 0)])
    })
  )
}

/** Declares the claims about announcements. */
export const claimAnnouncements = (claim: Claim): void => {
  orderClaims(claim)
  endClaims(claim)
}
