/** What must the port to NATS tell of a log's past, whatever is behind it? */
import { assert } from "@effect/vitest"
import { Effect, Option } from "effect"
import * as QueueSubject from "../../protocol/wire/QueueSubject.ts"
import * as Stream from "../../protocol/wire/Stream.ts"
import * as Subject from "../../protocol/wire/Subject.ts"
import { historyBytesMax, historyEntriesMax } from "../../runtime/HistoryPage.ts"
import { headroomBytes, Mesh, type Stored } from "../../runtime/Mesh.ts"
import { untilTrue } from "../support/untilTrue.ts"
import { bytes, type Claim, eventually, fresh, recordAt, told } from "./meshSuiteTools.ts"

const textsOf = (entries: ReadonlyArray<Stored>): ReadonlyArray<string> =>
  entries.map((entry) => told(Option.some(entry)))

/** One subject of a log. */
const logAt = Effect.fnUntraced(function* (seriesKey = `${fresh()}.1m`) {
  const mesh = yield* Mesh
  const subject = Subject.audit(seriesKey)
  const page = (fromRevision?: number, max?: number) =>
    mesh.history(Stream.audit.name, subject, {
      ...(fromRevision !== undefined && { fromRevision }),
      ...(max !== undefined && { max })
    })
  /** What a page says, and whether it is the last. */
  const seen = (fromRevision?: number, max?: number) =>
    Effect.map(page(fromRevision, max), ({ entries, isLast }) => ({ texts: textsOf(entries), isLast }))
  /** All pages, each read from behind the one before. */
  const pages = (max?: number) =>
    Effect.gen(function* () {
      const all = [yield* page(undefined, max)]
      for (let last = all[0]!; !last.isLast; last = all.at(-1)!) {
        all.push(yield* page(last.entries.at(-1)!.revision + 1, max))
      }
      return all
    })
  return { subject, write: (text: string) => mesh.write(subject, bytes(text)), page, seen, pages }
})

const orderClaims = (claim: Claim): void => {
  claim("history() gives all that was written to a subject, the oldest first, and nothing of others", () =>
    Effect.gen(function* () {
      const [a, b] = [yield* logAt(), yield* logAt()]
      const revisions: Array<number> = []
      for (const text of ["1", "2", "3"]) {
        revisions.push(yield* a.write(`a${text}`))
        yield* b.write(`b${text}`)
      }
      yield* eventually(a.seen(), { texts: ["a1", "a2", "a3"], isLast: true })
      yield* eventually(b.seen(), { texts: ["b1", "b2", "b3"], isLast: true })
      const { entries } = yield* a.page()
      assert.deepStrictEqual(
        entries.map(({ revision }) => revision),
        revisions.slice(0, entries.length)
      )
      for (const entry of entries) assert.strictEqual(entry.subject, a.subject)
    })
  )

  claim("history() of a subject that has nothing, or nothing so late, is one page without entries", () =>
    Effect.gen(function* () {
      const { seen, write } = yield* logAt()
      assert.deepStrictEqual(yield* seen(), { texts: [], isLast: true })
      const revision = yield* write("a")
      yield* eventually(seen(), { texts: ["a"], isLast: true })
      assert.deepStrictEqual(yield* seen(revision + 1), { texts: [], isLast: true })
      assert.deepStrictEqual(yield* seen(revision + 1_000_000), { texts: [], isLast: true })
    })
  )

  claim("history() from a revision begins with it, or with the next where that is another subject's", () =>
    Effect.gen(function* () {
      const [a, b] = [yield* logAt(), yield* logAt()]
      yield* a.write("1")
      const second = yield* a.write("2")
      const between = yield* b.write("b")
      yield* a.write("3")
      yield* a.write("4")
      yield* eventually(a.seen(second), { texts: ["2", "3", "4"], isLast: true })
      yield* eventually(a.seen(between), { texts: ["3", "4"], isLast: true })
      yield* eventually(a.seen(0), { texts: ["1", "2", "3", "4"], isLast: true })
    })
  )

  claim("history() read while it is written has no gap, and nothing that was not written", () =>
    Effect.gen(function* () {
      const { pages, seen, write } = yield* logAt()
      const expected = Array.from({ length: 60 }, (_, at) => `text ${at}`)
      const writer = Effect.forEach(expected, (text) => Effect.andThen(write(text), Effect.yieldNow))
      const reads: Array<ReadonlyArray<string>> = []
      const reader = Effect.map(pages(7), (all) => {
        reads.push(all.flatMap(({ entries }) => textsOf(entries)))
      }).pipe(Effect.andThen(Effect.yieldNow), Effect.forever)
      yield* Effect.raceFirst(writer, reader)
      for (const texts of reads) assert.deepStrictEqual(texts, expected.slice(0, texts.length))
      yield* eventually(seen(), { texts: expected, isLast: true })
    })
  )
}

const pageClaims = (claim: Claim): void => {
  claim("history() gives so many entries at most, and says whether there are more", () =>
    Effect.gen(function* () {
      const { seen, write } = yield* logAt()
      const revisions: Array<number> = []
      for (const text of ["1", "2", "3", "4", "5", "6"]) revisions.push(yield* write(text))
      const fromFourth = revisions[3]!
      yield* eventually(seen(), { texts: ["1", "2", "3", "4", "5", "6"], isLast: true })
      yield* eventually(seen(0, 4), { texts: ["1", "2", "3", "4"], isLast: false })
      // a page that ends where the log ends is the last
      yield* eventually(seen(fromFourth, 3), { texts: ["4", "5", "6"], isLast: true })
      yield* eventually(seen(fromFourth, 2), { texts: ["4", "5"], isLast: false })
      yield* eventually(seen(fromFourth, 0), { texts: ["4"], isLast: false })
    })
  )

  claim("history() of more than a page comes whole by pages, with entries of others in between", () =>
    Effect.gen(function* () {
      const [a, b] = [yield* logAt(), yield* logAt()]
      const count = 2 * historyEntriesMax + 5
      const texts = Array.from({ length: count }, (_, at) => `text ${at}`)
      const written = yield* Effect.forEach(
        texts,
        (text) =>
          Effect.andThen(
            b.write("other"),
            Effect.map(a.write(text), (revision) => ({ revision, text }))
          ),
        { concurrency: 64 }
      )
      yield* untilTrue(
        "every entry is read",
        Effect.map(a.pages(historyEntriesMax * 2), (all) => all.flatMap(({ entries }) => entries).length === count)
      )
      const all = yield* a.pages()
      const expected = written.toSorted((x, y) => x.revision - y.revision).map(({ text }) => text)
      const read = all.flatMap(({ entries }) => textsOf(entries))
      assert.deepStrictEqual(read, expected.slice(0, read.length))
      for (const { entries } of all) assert.isAtMost(entries.length, historyEntriesMax)
      assert.strictEqual(all[0]!.entries.length, historyEntriesMax)
    })
  )

  claim("history() ends a page of large entries with the one that reaches its bytes", () =>
    Effect.gen(function* () {
      const mesh = yield* Mesh
      const { page, pages, subject } = yield* logAt()
      const large = mesh.payloadBytesMax() - headroomBytes
      const sizes = [large, 10, Math.floor(historyBytesMax * 0.6), Math.floor(historyBytesMax * 0.6), 20, large]
      for (const size of sizes) yield* mesh.write(subject, new Uint8Array(size))
      const sizesOf = (entries: ReadonlyArray<Stored>) =>
        entries.map(({ value }) => Option.match(value, { onNone: () => 0, onSome: ({ length }) => length }))
      yield* untilTrue(
        "every entry is read",
        Effect.map(pages(), (all) => all.flatMap(({ entries }) => entries).length === sizes.length)
      )
      const all = yield* pages()
      assert.isAbove(all.length, 1)
      for (const { entries } of all) {
        const before = sizesOf(entries.slice(0, -1)).reduce((sum, size) => sum + size, 0)
        assert.isBelow(before, historyBytesMax)
      }
      assert.deepStrictEqual(
        all.flatMap(({ entries }) => sizesOf(entries)),
        sizes.slice(0, all.flatMap(({ entries }) => entries).length)
      )
      assert.lengthOf((yield* page(1, 1)).entries, 1)
    })
  )
}

const otherClaims = (claim: Claim): void => {
  claim("history() of a record is what stands of it, also where that is its end", () =>
    Effect.gen(function* () {
      const mesh = yield* Mesh
      const { subject, write } = yield* recordAt(Stream.actors)
      const seen = Effect.map(mesh.history(Stream.actors.name, subject), ({ entries, isLast }) => ({
        texts: textsOf(entries),
        isLast
      }))
      yield* write("a")
      const second = yield* write("b")
      yield* eventually(seen, { texts: ["b"], isLast: true })
      yield* write("", { expect: second, remove: true })
      yield* eventually(seen, { texts: ["ended"], isLast: true })
    })
  )

  claim("history() of several subjects, of a queue and of a stream that is not there is refused", () =>
    Effect.gen(function* () {
      const mesh = yield* Mesh
      const queued = QueueSubject.queuedJob({ jobClass: "interactive", partition: 0, windowKey: `${fresh()}.1m.0` })
      for (const [stream, subject] of [
        [Stream.audit.name, Subject.all("audit")],
        [Stream.audit.name, Subject.audit("*.1m")],
        [Stream.queue.name, queued],
        ["nowhere", "a"]
      ] as const) {
        assert.strictEqual((yield* Effect.flip(mesh.history(stream, subject)))._tag, "MeshUnavailable", subject)
      }
    })
  )
}

/** Declares the claims about the history of a log. */
export const claimHistory = (claim: Claim): void => {
  orderClaims(claim)
  pageClaims(claim)
  otherClaims(claim)
}
