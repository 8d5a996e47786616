/**
 * Would the checks notice if the protocol were wrong?
 *
 * Each mutant is the product with one mistake that somebody could have made. One that lives through two thousand seeds
 * means that a check is missing, or that the simulation never gets there.
 */
import type { SourceEdit } from "./SourceEdit.ts"

/** The product with a mistake. */
export interface Mutant {
  readonly name: string
  /** What it does wrong. */
  readonly mistake: string
  readonly edits: ReadonlyArray<SourceEdit>
}

const mutant = (name: string, mistake: string, file: string, ...places: ReadonlyArray<readonly [string, string]>) => ({
  name,
  mistake,
  edits: places.map(([from, to]): SourceEdit => ({ file, from, to }))
})

/** All mutants. */
export const mutants: ReadonlyArray<Mutant> = [
  mutant("skip-cas", "a record is written without comparing its revision", "runtime/compareAndSet.ts", [
    "{ expect, ...ttl }",
    "ttl"
  ]),
  mutant(
    "forget-nonce",
    "whatever stands there after a conflict is taken for the own write",
    "runtime/compareAndSet.ts",
    ["&& isOurs(standing.value.value)", ""]
  ),
  mutant(
    "storm-after-outage",
    "a write that is refused is tried again at once, and again",
    "runtime/compareAndSet.ts",
    ["yield* Effect.sleep(pause)", "yield* Effect.void"]
  ),
  mutant(
    "renew-by-ack",
    "a session counts from when its renewal was answered, not from when it was sent",
    "cluster/HostSession.ts",
    ["{ revision, sentMs, answeredMs: life.nowMs() }", "{ revision, sentMs: life.nowMs(), answeredMs: life.nowMs() }"]
  ),
  mutant("release-without-epoch", "a slot that is given back forgets its epoch", "cluster/Handoff.ts", [
    `{ ...record, owner: "" }`,
    `{ ...record, owner: "", slotEpoch: 0 }`
  ]),
  mutant("outbid-stale", "a slot is claimed upon whatever was read of it, however old", "cluster/SlotRecords.ts", [
    ", { expect: record.revision })",
    ")"
  ]),
  mutant("bury-early", "after an outage the first host that is back takes the others for dead", "cluster/Touch.ts", [
    "isSteady(touch, nowMs) && nowMs - touch.joinedAtMs >= ttlMs",
    "isInTouch(touch, nowMs)"
  ]),
  mutant("same-epoch", "an activation does not raise the epoch", "runtime/ActorState.ts", [
    "epoch: (standing?.epoch ?? 0) + 1",
    "epoch: standing?.epoch ?? 1"
  ]),
  mutant("commit-before-chunk", "a chunk is stored after the root that names it", "actors/backfill/commitRows.ts", [
    "yield* store.putChunk(entry.series, windowStart, chunk)",
    `yield* Effect.forkDetach(Effect.delay(store.putChunk(entry.series, windowStart, chunk), "1 second"))`
  ]),
  mutant(
    "complete-without-fence",
    "a run is ended by whoever worked on it, whoever has it now",
    "actors/backfill/BackfillCoordinator.ts",
    [
      "  compareAndSet(mesh, {\n    stream: Stream.jobs.name",
      "  (isFinal(job) ? mesh.write(subjectOf(held.key), writeJob(job)) : compareAndSet(mesh, {\n    stream: Stream.jobs.name"
    ],
    ["isOurs: wasWrittenBy(job.nonce)\n  })", "isOurs: wasWrittenBy(job.nonce)\n  }))"]
  ),
  mutant(
    "reopen-same-run",
    "a job that is opened again has the number of the run before",
    "actors/coverage/planJobs.ts",
    ["run: (before?.run ?? 0) + 1", "run: before?.run ?? 1"]
  ),
  mutant(
    "cover-truncated",
    "a page that is not full is taken for the end of what the source has",
    "actors/backfill/Answer.ts",
    [
      "({ cursor, emptyPages, question, seenBehind }: Answer)",
      "({ cursor, emptyPages, question, reachedEnd, seenBehind }: Answer)"
    ],
    ["|| seenBehind || emptyPages", "|| seenBehind || reachedEnd || emptyPages"]
  ),
  mutant("lose-coverage", "a commit replaces what was covered instead of adding to it", "actors/coverage/Coverage.ts", [
    "const covered = RangeSet.union(state.covered, brought)",
    "const covered = brought"
  ]),
  mutant("start-late", "a message is begun though its time is over", "runtime/Resident.ts", [
    "if (work.incoming.deadlineMs > nowMs) return true",
    "if (nowMs > 0) return true"
  ]),
  mutant("forget-ledger", "a message that is sent again takes effect again", "runtime/runStep.ts", [
    "ledger.find(id, { nowMs, ageMs })",
    `{ found: "nothing" }`
  ]),
  mutant(
    "forget-timers",
    "a new owner of a slot does not look for timers that were set before",
    "runtime/DurableTimer.ts",
    ["for (const stored of found) {", "for (const stored of found.slice(found.length)) {"]
  ),
  mutant(
    "steal-lease",
    "a run is taken over from a holder who lives and renews",
    "actors/backfill/BackfillCoordinator.ts",
    ["lease === null ? Effect.succeed(true)", "lease !== undefined ? Effect.succeed(true)"]
  ),
  mutant("settle-early", "who waits for a run is told of its end when it changes", "actors/backfill/JobFollower.ts", [
    "(job.run === run && isFinal(job))",
    "job.run === run"
  ]),
  mutant("never-send", "what a step sends to others is dropped", "runtime/activateDefinition.ts", [
    "standing = next\n    for (const [errand, cause] of errands) yield* hands.run(errand, cause)",
    "standing = next"
  ]),
  mutant("forget-to-save-ledger", "the ledger is not saved with the state", "runtime/activateDefinition.ts", [
    "({ ...ledger.record(), timers: next.timers })",
    "({ operations: keeping.book.operations, forgottenAt: keeping.book.forgottenAt, timers: next.timers })"
  ]),
  mutant("peek-out-of-touch", "an actor answers reads though its host has lost touch", "runtime/Residents.ts", [
    " || !tenure.isValid()) return undefined",
    ") return undefined"
  ]),
  mutant("audit-never", "no root is audited", "actors/coverage/CoverageRecord.ts", [
    "root.version === 0 ? Effect.succeed(false)",
    "root.version >= 0 ? Effect.succeed(false)"
  ]),
  mutant(
    "same-version-again",
    "a root whose storage was rolled back goes on with versions that were there before",
    "actors/coverage/judgeHistory.ts",
    [`if (audited.version > root.version) return "rolledBack"`, `if (audited.version > root.version) return "fits"`]
  ),
  mutant("hand-over-at-once", "a slot is given back while its actors still work", "cluster/Handoff.ts", [
    "yield* handler.onHandOver(slot.tenure)",
    "yield* Effect.forkDetach(handler.onHandOver(slot.tenure))"
  ]),
  mutant(
    "deny-the-first-bars",
    "time behind the first bar of a source is taken for time that can't be had",
    "actors/backfill/findFirstBar.ts",
    ["      end: start,", "      end: start + 10 * entry.interval.lengthMs,"]
  ),
  mutant(
    "disobey-quarantine",
    "a window that waits for a person is opened again by whoever wants it",
    "protocol/history/jobAction.ts",
    [`if (job.state === "QUARANTINED") return "refuse"`, ""]
  ),
  mutant("count-no-failure", "a run that failed counts for nothing", "actors/backfill/jobStep.ts", [
    "job.attempts + (isAttempt ? 1 : 0)",
    "job.attempts"
  ]),
  mutant("forgive-failures", "a demand makes forgotten how often a window has failed", "actors/coverage/planJobs.ts", [
    `before?.state === "FAILED" ? before.attempts : 0`,
    "0"
  ]),
  mutant(
    "forget-what-is-owed",
    "a run that is opened after one that failed brings what its opener wants alone",
    "actors/coverage/planJobs.ts",
    ["RangeSet.union(wanted.ranges, owed(job))", "wanted.ranges"]
  ),
  mutant(
    "same-generation",
    "what was asked for before time was taken out of the coverage still counts",
    "actors/coverage/Coverage.ts",
    ["generation: entry.generation + 1", "generation: entry.generation"]
  ),
  mutant("come-back-by-itself", "a job that was called off is tried again", "actors/coverage/operateJob.ts", [
    `{ ...job, ...ended, state: "FAILED", attempts: 0, failure }`,
    `{ ...job, ...ended, state: "FAILED", attempts: 0, failure, nextAttemptAt: 0 }`
  ]),
  mutant("skip-and-ask-again", "a window that was skipped is missing again", "actors/coverage/operateJob.ts", [
    `exceptions: explainedAs(job, "unavailable", why)`,
    "exceptions: []"
  ]),
  mutant("full-after-failover", "whoever takes an account over may spend a whole burst", "actors/budget/Meter.ts", [
    "return emptied({ unitMs, capacity, earnedAtMs: 0 }, nowMs)",
    "return { unitMs, capacity, earnedAtMs: Math.min(0, nowMs) }"
  ]),
  mutant(
    "forget-under-way",
    "whoever takes an account over knows of no request that is under way",
    "actors/budget/SavedAccount.ts",
    ["saved.inFlight.map((grant)", "saved.inFlight.slice(saved.inFlight.length).map((grant)"]
  ),
  mutant(
    "spend-unsaved",
    "a permit is given though no save has shown that nobody else gives any",
    "actors/budget/AccountActor.ts",
    ["Effect.tap(handle(batch), () => keep)", "Effect.tap(handle(batch), () => (state.epoch > 0 ? Effect.void : keep))"]
  ),
  mutant(
    "serve-the-urgent-alone",
    "nobody takes work of the classes that can wait",
    "actors/backfill/BackfillActor.ts",
    ["worker(turns, JobClass.literals)", "worker(turns, urgent)"]
  ),
  mutant(
    "go-on-while-paused",
    "a backfill that is held up goes on",
    "actors/backfills/NamedBackfillActor.ts",
    [`before?.backfill.status !== "running") return yield* hands.expect(undefined)`, "before === null) return"],
    ["if (!isRunning) yield* hands.expect(undefined)", ""],
    [`backfill.status === "running" ? nextLookAt : undefined`, "nextLookAt"]
  ),
  mutant("never-settle", "bars that may have changed are not asked for once more", "actors/coverage/demands.ts", [
    "    yield* settle\n",
    ""
  ]),
  mutant("settled-at-once", "bars count as settled whenever they were asked for", "actors/backfill/commitRows.ts", [
    "{ asked: { ranges, unsettled, settleMs } }",
    "{ asked: { ranges, unsettled: RangeSet.empty, settleMs } }"
  ]),
  mutant("settle-and-keep", "a bar that changed is asked for, and not stored", "actors/backfill/commitRows.ts", [
    "const wanted = brought.isRevision ? RangeSet.intersect(ranges, before) : RangeSet.subtract(ranges, before)",
    "const wanted = RangeSet.subtract(ranges, before)"
  ]),
  mutant("revise-in-silence", "a root does not say which of its bars have changed", "actors/backfill/commitRows.ts", [
    "...next.told",
    "...(brought.isRevision ? {} : next.told)"
  ]),
  mutant("forget-the-mark", "a bar that has changed is not marked", "actors/conformance/mergeRevision.ts", [
    "for (const row of marked.all()) frame.flags[row]! |= RowFlag.revised",
    ""
  ]),
  mutant("sweep-what-stood", "what roots of the past name counts for nothing", "actors/sweeper/keptRoots.ts", [
    "if (isOpen && end > 0)",
    "if (isOpen && end < 0)"
  ]),
  mutant("pass-over-a-root", "a sweep does not look into one root of the log", "actors/sweeper/keptRoots.ts", [
    "of yield* wholeRoots(entries))",
    "of yield* wholeRoots(entries.slice(1)))"
  ]),
  mutant("sweep-the-young", "what was just put and is not named yet is taken away", "actors/sweeper/planSweep.ts", [
    "nowMs - atMs > ageMs",
    "nowMs - atMs > Math.min(0, ageMs)"
  ]),
  mutant("sweep-once", "what was too young at one sweep is never looked at again", "actors/sweeper/sweepRun.ts", [
    "Math.min(youngFrom - 1, lastRevision)",
    "lastRevision"
  ]),
  mutant("keep-pages", "pages are never swept", "actors/sweeper/sweepSeries.ts", [
    "if (!terms.isDry) yield* deleteAll(shelf.stream",
    `if (!terms.isDry && kind === "chunks") yield* deleteAll(shelf.stream`
  ]),
  mutant("sweep-unnoted", "nobody is told that the oldest roots were swept", "actors/sweeper/sweepSeries.ts", [
    "yield* sweptMark.note(entry, oldest)",
    ""
  ]),
  mutant(
    "sweep-too-far",
    "the root goes with which the time begins that counts",
    "actors/sweeper/sweepSeries.ts",
    [
      `order === "none" ? (oldest?.revision ?? 0) : Infinity`,
      `order === "none" ? (oldest?.revision ?? 0) + 1 : Infinity`
    ],
    ["revision >= (oldest?.revision ?? 0)", "revision > (oldest?.revision ?? 0)"],
    ["{ ...moment, ageMs })", "{ ...moment, ageMs: terms.ageMs })"]
  ),
  mutant("never-wake", "a sweeper that has another host does not go on", "actors/sweeper/SweeperActor.ts", [
    "yield* hands.expect(found.run === null ? state.current().nextAt : nowMs)",
    ""
  ]),
  mutant("refuse-what-is-kept", "a version that counts is refused", "actors/sources/PastRoots.ts", [
    "nowMs - rootsMs)",
    "nowMs - rootsMs / 3)"
  ]),
  mutant("read-what-stands", "a version of the past is read as what stands now", "actors/sources/PastRoots.ts", [
    "if (isStanding && !isFuture) return standing",
    "if (isStanding || !isFuture) return standing"
  ]),
  mutant("lose-sight", "a search of the log ends a root too early", "runtime/searchLog.ts", [
    "found.revision < end && found.rank <= rank",
    "found.revision < end && found.rank < rank"
  ]),
  mutant(
    "forget-below",
    "what is rolled up is not made anew where a finer bar has changed",
    "actors/derived/takeChanges.ts",
    ["RangeSet.unionAll([taken.touched, removed, revised])", "RangeSet.unionAll([taken.touched, removed])"]
  ),
  mutant("follow-nobody", "nobody takes over what has changed in the finer series", "actors/derived/DerivedActor.ts", [
    "yield* goOn(hands, pair.value)",
    "yield* Effect.void"
  ]),
  mutant(
    "roll-up-what-is-there",
    "a longer bar is made of those of its finer bars that there are",
    "actors/conformance/proveBars.ts",
    [
      "inward(RangeSet.intersect(below.covered, stretch), interval)",
      "outward(RangeSet.intersect(below.covered, stretch), interval)"
    ]
  ),
  mutant("done-too-soon", "a backfill is done when all of it is asked for", "actors/backfills/goOn.ts", [
    "if (figures.leftBars > 0) return",
    "if (plan.demands.length > 0) return"
  ]),
  mutant("ask-though-off", "sources are asked although operators have that off", "protocol/messages/BackfillOff.ts", [
    `isOn(record, "DISABLE_BACKFILL") ? offBy(`,
    `isOn(record, "DISABLE_BACKFILL") && record.version < 0 ? offBy(`
  ]),
  mutant(
    "heed-the-first",
    "a host heeds the first turn of a switch that it hears of, and no other",
    "runtime/Switches.ts",
    ["if (at > revision) set(next, at)", "if (revision === 0) set(next, at)"],
    ["if (at > revision || sightings === sightingsMin) set(next, at)", "if (revision === 0) set(next, at)"]
  ),
  mutant("confirm-nothing", "a strict read is answered by what its host knows", "actors/provider/currentView.ts", [
    "const { version } = yield* coverage.confirm(series)",
    "const version = 0"
  ])
]
