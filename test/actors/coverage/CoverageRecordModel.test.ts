/**
 * Is the coverage of a series what was committed, whoever has it in hand and whatever was lost on the way?
 *
 * Owners commit, lose answers and are replaced; windows have so many ranges that the root spills over into its pages.
 * The audit stream is replayed as it is written.
 */
import * as fc from "fast-check"
import { Effect, Layer, Option, Result } from "effect"
import { assert } from "vitest"
import { fromStored } from "../../../actors/admin/AuditEntry.ts"
import { begin, replayEntry } from "../../../actors/admin/replayAudit.ts"
import * as CoverageRecord from "../../../actors/coverage/CoverageRecord.ts"
import * as ChunkStore from "../../../actors/sources/ChunkStore.ts"
import * as SeriesCatalog from "../../../actors/sources/SeriesCatalog.ts"
import { toPairs } from "../../../protocol/history/RangePairs.ts"
import * as RangeSet from "../../../protocol/history/RangeSet.ts"
import * as Stream from "../../../protocol/wire/Stream.ts"
import { keySubject } from "../../../protocol/wire/StreamSpec.ts"
import * as Subject from "../../../protocol/wire/Subject.ts"
import type { Activation } from "../../../runtime/Actor.ts"
import * as Model from "../../support/models/CoverageModel.ts"
import { drawCommit, messageOf, planCommit, rangesOf, type Scale, shown } from "../../support/models/drawCommit.ts"
import { type Move, modelLaw, settled } from "../../support/models/modelLaw.ts"
import { isSilent, makeTroubledMesh, takesEffect, type Trouble, trouble } from "../../support/models/troubledMesh.ts"

const catalog = SeriesCatalog.make({
  sources: { binance: { kind: "exchange", exchange: "binance", baseUrl: "http://127.0.0.1:9" } },
  series: [{ node: "a", intervals: ["1m"], sources: ["binance"], symbol: "BTC/BUSD" }]
})
const key = Subject.series("a", "1m")
const scale: Scale = { series: { nodeId: "a", interval: "1m" }, barMs: 60_000, windowBars: 1440 }

/** Where a trouble strikes. */
const places = {
  root: keySubject(Stream.coverage, key),
  audit: Subject.audit(key),
  page: Subject.page(key, "")
} as const
type Place = keyof typeof places

/** Follows the audit stream: every root once, each linked to the one before, and the diffs add up to what is claimed. */
const makeReplay = () => {
  let replay = begin
  return {
    version: () => replay.last?.root.version ?? 0,
    covered: () => replay.covered,
    add: (value: Uint8Array): void => {
      replay = replayEntry(replay, fromStored({ subject: "", revision: 0, value: Option.some(value) }))
      assert.isUndefined(replay.firstBreak)
    }
  }
}

const makeReal = Effect.gen(function* () {
  const troubled = yield* makeTroubledMesh
  const replay = makeReplay()
  troubled.onStored(Stream.audit.name, places.audit, replay.add)
  const entry = yield* Effect.orDie(catalog.find("a", "1m"))
  let owners = 0
  const activationOf = (slotEpoch: number): Activation => ({
    address: { type: "coverage", key },
    owner: `host-${slotEpoch}`,
    slot: "7",
    slotEpoch
  })
  const open = Effect.suspend(() =>
    // a store of its own, so that nothing is known from before
    Effect.provide(
      CoverageRecord.open(entry, activationOf(++owners)),
      Layer.provideMerge(ChunkStore.layer(1_000_000), troubled.layer)
    )
  )
  return { ...troubled, replay, open, owner: yield* Effect.orDie(open), late: Array<CoverageRecord.CoverageRecord>() }
})

type Real = { -readonly [Field in keyof Effect.Success<typeof makeReal>]: Effect.Success<typeof makeReal>[Field] }
type RecordMove = Move<Model.CoverageModel, Real>

const claim = (model: Model.CoverageModel, { owner, replay }: Real): void => {
  const expected = rangesOf(model.covered, scale)
  assert.strictEqual(owner.root().version, model.version)
  assert.isTrue(RangeSet.equals(owner.covered(), expected), `covered: ${toPairs(owner.covered()).length} ranges`)
  assert.strictEqual(replay.version(), model.version)
  assert.isTrue(RangeSet.equals(replay.covered(), expected), "covered by the audit stream")
}

/** Another owner takes over: from the store, with nothing in hand. */
const takeOver = (real: Real) =>
  Effect.gen(function* () {
    real.late.push(real.owner)
    real.owner = yield* settled(Effect.orDie(real.open))
  })

/** Whether a commit that changes something is answered, and whether it took effect. */
const fateIn = (each: Trouble, place: Place, hasPages: boolean) => {
  const isThere = each !== "none" && (place !== "page" || hasPages)
  if (!isThere) return { isAnswered: true, isEffective: true }
  // an audit entry is tried once: whoever comes next adds it
  if (place === "audit") return { isAnswered: each === "answerLost", isEffective: true }
  return { isAnswered: !isSilent(each), isEffective: place === "page" ? !isSilent(each) : takesEffect(each) }
}

const commit = fc
  .record({
    draw: drawCommit(scale.windowBars),
    during: trouble,
    place: fc.constantFrom<Array<Place>>("root", "audit", "page")
  })
  .map(({ draw, during, place }): RecordMove => ({
    name: `commit ${shown(draw)} (${place}: ${during})`,
    make: Effect.fnUntraced(function* (model, real) {
      const planned = planCommit(model, draw, scale.windowBars)
      const message = messageOf(planned, scale)
      const trial = Model.commit(Model.copy(model), planned)
      const { isAnswered, isEffective } = fateIn(during, place, trial.hasNewChunks)
      const outcome = yield* Effect.result(real.during(during, places[place])(settled(real.owner.commit(message))))
      if (trial._tag !== "new" || isEffective) Model.commit(model, planned)
      if (Result.isSuccess(outcome)) {
        assert.isTrue(trial._tag === "there" || (trial._tag === "new" && isAnswered))
        assert.strictEqual(outcome.success.version, model.version)
      } else if (trial._tag === "stale") assert.strictEqual(outcome.failure._tag, "StaleCommit")
      else {
        assert.strictEqual(outcome.failure._tag, "MeshUnavailable")
        assert.isTrue(trial._tag === "new" && !isAnswered)
        yield* takeOver(real)
      }
      claim(model, real)
      if (trial._tag === "stale" || !isEffective) return
      const again = yield* Effect.result(real.owner.commit(message))
      assert.strictEqual(Result.getOrThrow(again).version, model.version, "a repeat")
      claim(model, real)
    })
  }))

const restart = fc.constant<RecordMove>({
  name: "another owner takes over",
  make: Effect.fnUntraced(function* (model, real) {
    yield* takeOver(real)
    claim(model, real)
  })
})

const commitLate = fc.tuple(drawCommit(scale.windowBars), fc.nat(3)).map(([draw, rank]): RecordMove => ({
  name: `the last owner but ${rank} commits ${shown(draw)}`,
  make: Effect.fnUntraced(function* (model, real) {
    const late = real.late.at(-1 - rank)
    if (late === undefined) return
    const message = messageOf(planCommit(model, draw, scale.windowBars), scale)
    const before = late.root().version
    const outcome = yield* Effect.result(late.commit(message))
    // by what it knows there may be nothing to do, or nothing that can be done; it never changes anything
    if (Result.isSuccess(outcome)) assert.strictEqual(outcome.success.version, before)
    else assert.include(["Fenced", "StaleCommit"], outcome.failure._tag)
    claim(model, real)
  })
}))

modelLaw("CoverageRecord keeps what was committed, and its audit stream is the history of its roots", {
  begin: Effect.map(makeReal, (real) => ({ model: Model.make(), real })),
  moves: [commit, commit, commit, commit, restart, commitLate],
  numRuns: 30,
  movesMax: 16
})
