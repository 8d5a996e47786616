/**
 * Is all work done, and how soon after the last fault?
 *
 * Every counter answers, each timer has rung, each slot has an owner that lives and should have it, no job is open, and
 * every bar that the exchange has is covered. It is looked for past the proxies.
 */
import { Effect, Option, Schedule, Schema } from "effect"
import { BackfillJob, isFinal } from "../../../protocol/history/BackfillJob.ts"
import * as ActorSubject from "../../../protocol/wire/ActorSubject.ts"
import * as Codec from "../../../protocol/wire/Codec.ts"
import { StateRecord } from "../../../protocol/wire/StateRecord.ts"
import * as Stream from "../../../protocol/wire/Stream.ts"
import { type BucketSpec, keySubject } from "../../../protocol/wire/StreamSpec.ts"
import { withBudget } from "../../../runtime/Deadline.ts"
import { Mesh } from "../../../runtime/Mesh.ts"
import { asking } from "../../support/ClusterHarness.ts"
import * as Slots from "../../support/members/Slots.ts"
import { Saved } from "../../support/members/testActors.ts"
import type { Bottle } from "./Bottle.ts"
import { records } from "./operations.ts"

const tryMs = 2000

/** Looks now and then, until it is so: what it looks at is thousands of records. */
const untilSo = <E, R>(look: Effect.Effect<boolean, E, R>): Effect.Effect<boolean, E, R> =>
  Effect.repeat(look, { schedule: Schedule.spaced("250 millis"), until: (isSo) => isSo })

const untilAllAnswer = ({ caller }: Bottle, keys: ReadonlyArray<string>) =>
  Effect.forEach(
    keys,
    (key) => Effect.retry(withBudget(tryMs)(Saved.ref(key).ask("get", null)), Schedule.spaced("100 millis")),
    { concurrency: 50, discard: true }
  ).pipe(Effect.provide(caller))

const untilSpread = ({ caller, members }: Bottle) =>
  untilSo(Slots.look.pipe(Effect.map(Slots.isSpread(members.map(({ name }) => name))), Effect.provide(caller)))

/** The newest records of these keys, or of all that a key with wildcards matches. */
const newest = <A>({ caller }: Bottle, bucket: BucketSpec, schema: Schema.Codec<A, unknown>) => {
  const decode = Schema.decodeUnknownOption(schema)
  return (keys: ReadonlyArray<string>) =>
    Effect.gen(function* () {
      const stored = yield* (yield* Mesh).readMany(
        bucket.name,
        keys.map((key) => keySubject(bucket, key))
      )
      return stored.flatMap(({ value }) =>
        Option.toArray(value).map((data) => Option.getOrThrow(Option.flatMap(Codec.fromJson(data), decode)))
      )
    }).pipe(Effect.provide(caller))
}

/** Waits until none of these actors wants to be woken any more. */
const untilAllRang = (bottle: Bottle, keys: ReadonlyArray<string>) =>
  untilSo(
    newest(
      bottle,
      Stream.actors,
      StateRecord
    )(keys.map((key) => ActorSubject.actorKey({ type: Saved.name, key }))).pipe(
      Effect.map((all) => all.every(({ timers = [] }) => timers.length === 0)),
      Effect.orElseSucceed(() => false)
    )
  )

const untilNoJobIsOpen = (bottle: Bottle) =>
  untilSo(
    newest(
      bottle,
      Stream.jobs,
      BackfillJob
    )([">"]).pipe(
      Effect.map((all) => all.every((job) => isFinal(job) && (job.state === "SUCCEEDED" || job.failure !== null))),
      Effect.orElseSucceed(() => false)
    )
  )

/** Has all of each file filled, as far as the exchange can say anything about it. */
const untilCovered = ({ history }: Bottle) =>
  Effect.forEach(
    records,
    ({ file, record }) =>
      asking(() =>
        history.ensureAvailable(file.node, file.interval, ...record.range, {
          strategy: "auto_backfill",
          sla: { totalDeadlineMs: tryMs }
        })
      ).pipe(
        Effect.filterOrFail(({ missingRanges }) =>
          missingRanges.every(({ reason, state }) => state !== "missing" && reason !== "")
        ),
        Effect.retry(Schedule.spaced("100 millis"))
      ),
    { concurrency: "unbounded", discard: true }
  )

/** What is waited for, and how long. */
interface Expected {
  /** Counters that are to answer. */
  readonly keys: ReadonlyArray<string>
  /** Waits until nobody asks any more; gives the actors that timers were set for. */
  readonly quiet: Effect.Effect<ReadonlyArray<string>>
  readonly withinMs: number
  /** Hears when what is done. */
  readonly done: (what: string) => void
}

/** What is still to be done after so long; empty where all of it is done in time. */
export const unsettled = (bottle: Bottle, given: Expected): Effect.Effect<ReadonlyArray<string>> => {
  // those that were opened in the run must end by themselves, before anyone asks again
  const work: Readonly<Record<string, Effect.Effect<unknown>>> = {
    "every actor answers": Effect.ignore(untilAllAnswer(bottle, given.keys)),
    "every timer has rung": Effect.flatMap(given.quiet, (keys) => untilAllRang(bottle, keys)),
    "each slot has its owner": untilSpread(bottle),
    "no job is open, and every bar is covered": untilNoJobIsOpen(bottle).pipe(
      Effect.andThen(untilCovered(bottle)),
      Effect.andThen(untilNoJobIsOpen(bottle)),
      Effect.ignore
    )
  }
  return Effect.map(
    Effect.forEach(
      Object.entries(work),
      ([what, wait]) =>
        wait.pipe(
          Effect.andThen(Effect.sync(() => given.done(what))),
          Effect.timeoutOption(given.withinMs),
          Effect.map(Option.match({ onNone: () => [what], onSome: () => [] }))
        ),
      { concurrency: "unbounded" }
    ),
    (late) => late.flat()
  )
}
