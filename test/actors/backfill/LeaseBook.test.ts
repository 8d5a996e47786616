/** Are leases kept for as long as the work takes, and ended upon the revision that they have by then? */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { type BackfillCoordinator, type Held, LeaseLost } from "../../../actors/backfill/BackfillCoordinator.ts"
import * as LeaseBook from "../../../actors/backfill/LeaseBook.ts"
import * as RangeSet from "../../../protocol/history/RangeSet.ts"
import { jobOf } from "../../support/jobs.ts"

const nothing = { completed: RangeSet.empty, coverageVersion: 0, requests: 0, passedOver: [] }

/** A coordinator that takes a write only upon the last revision, as the records do. */
const strict = (...keys: ReadonlyArray<string>) => {
  const windows = keys.length === 0 ? ["window"] : keys
  const revisions = new Map(windows.map((key) => [key, 1]))
  const write = (held: Held) =>
    Effect.suspend(() => {
      if (revisions.get(held.key) !== held.revision) return Effect.fail(new LeaseLost({ key: held.key }))
      revisions.set(held.key, held.revision + 1)
      return Effect.succeed({ ...held, revision: held.revision + 1 })
    })
  const coordinator: Pick<BackfillCoordinator["Service"], "renew" | "complete" | "fail" | "release"> = {
    renew: write,
    complete: (held) => Effect.asVoid(write(held)),
    fail: (held) => Effect.asVoid(write(held)),
    release: (held) => Effect.asVoid(write(held))
  }
  const claimed = windows.map((key): Held => ({ key, job: jobOf(), revision: 1 }))
  return { book: LeaseBook.open(coordinator, claimed, Effect.void), revisions }
}

describe("LeaseBook", () => {
  it.effect("keepRenewing renews upon what the round before wrote, for as long as it runs", () =>
    Effect.gen(function* () {
      const { book, revisions } = strict()
      const renewing = yield* Effect.forkChild(book.keepRenewing, { startImmediately: true })
      yield* TestClock.adjust("30 seconds")
      assert.isUndefined(renewing.pollUnsafe())
      assert.isAbove(revisions.get("window")!, 30)
      yield* Fiber.interrupt(renewing)
    })
  )

  it.effect("complete() ends a lease that was renewed, once", () =>
    Effect.gen(function* () {
      const { book, revisions } = strict()
      const renewing = yield* Effect.forkChild(book.keepRenewing, { startImmediately: true })
      yield* TestClock.adjust("3 seconds")
      yield* book.complete("window", nothing)
      const ended = revisions.get("window")
      yield* book.complete("window", nothing)
      yield* TestClock.adjust("3 seconds")
      assert.strictEqual(revisions.get("window"), ended)
      assert.deepStrictEqual(book.open(), [])
      yield* Fiber.interrupt(renewing)
    })
  )

  it.effect("keepRenewing fails when another has the job", () =>
    Effect.gen(function* () {
      const { book, revisions } = strict()
      const renewing = yield* Effect.forkChild(Effect.flip(book.keepRenewing), { startImmediately: true })
      revisions.set("window", 99)
      yield* TestClock.adjust("2 seconds")
      assert.strictEqual((yield* Fiber.join(renewing))._tag, "LeaseLost")
    })
  )

  it.effect("makeSure waits for nothing as long as leases are renewed, and writes nothing itself", () =>
    Effect.gen(function* () {
      const { book, revisions } = strict()
      const renewing = yield* Effect.forkChild(book.keepRenewing, { startImmediately: true })
      yield* TestClock.adjust("10 seconds")
      const before = revisions.get("window")
      yield* book.makeSure
      assert.strictEqual(revisions.get("window"), before)
      yield* Fiber.interrupt(renewing)
    })
  )

  it.effect("makeSure renews first where nobody did for longer than it takes to be replaced", () =>
    Effect.gen(function* () {
      const { book, revisions } = strict()
      yield* book.makeSure
      assert.strictEqual(revisions.get("window"), 2)
      yield* TestClock.adjust("2 seconds")
      yield* book.makeSure
      assert.strictEqual(revisions.get("window"), 2)
      yield* TestClock.adjust("1 second")
      yield* book.makeSure
      assert.strictEqual(revisions.get("window"), 3)
    })
  )

  it.effect("makeSure lets nobody go on who has lost a lease meanwhile, and keeps the others", () =>
    Effect.gen(function* () {
      const { book, revisions } = strict("window", "other")
      revisions.set("window", 99)
      assert.strictEqual((yield* Effect.flip(book.makeSure))._tag, "LeaseLost")
      assert.deepStrictEqual(
        book.open().map(({ key }) => key),
        ["other"]
      )
    })
  )

  it.effect("keepRenewing leaves to another what it has by now, and goes on with the rest until nothing is left", () =>
    Effect.gen(function* () {
      const { book, revisions } = strict("window", "other")
      const renewing = yield* Effect.forkChild(Effect.flip(book.keepRenewing), { startImmediately: true })
      revisions.set("window", 99)
      yield* TestClock.adjust("3 seconds")
      assert.isUndefined(renewing.pollUnsafe())
      assert.deepStrictEqual(
        book.open().map(({ key }) => key),
        ["other"]
      )
      yield* book.complete("window", nothing)
      assert.strictEqual(revisions.get("window"), 99)
      revisions.set("other", 99)
      yield* TestClock.adjust("2 seconds")
      assert.strictEqual((yield* Fiber.join(renewing))._tag, "LeaseLost")
    })
  )

  it.effect("releaseAll gives back what has not been ended", () =>
    Effect.gen(function* () {
      const { book, revisions } = strict()
      yield* book.releaseAll
      assert.strictEqual(revisions.get("window"), 2)
      assert.deepStrictEqual(book.open(), [])
    })
  )
})
