/**
 * What is stored about a series' coverage, read past every host?
 *
 * The root that stands in KV, and the history of roots in the audit stream, as any NATS client finds them.
 */
import { jetstreamManager } from "@nats-io/jetstream"
import type { NatsConnection } from "@nats-io/transport-node"
import { Effect, Schema } from "effect"
import { fromRoot } from "../../actors/admin/AuditEntry.ts"
import { begin, conclude, replayEntry } from "../../actors/admin/replayAudit.ts"
import { CoverageRoot, rootHash } from "../../protocol/history/CoverageRoot.ts"
import { StateRecord } from "../../protocol/wire/StateRecord.ts"
import * as Stream from "../../protocol/wire/Stream.ts"
import { keySubject } from "../../protocol/wire/StreamSpec.ts"
import * as Subject from "../../protocol/wire/Subject.ts"
import type { BarFile } from "./BarFile.ts"
import { untilTrue } from "./untilTrue.ts"

const decodeRoot = Schema.decodeUnknownSync(CoverageRoot)
const decodeRecord = Schema.decodeUnknownSync(StateRecord)

/** The root that stands; undefined where there is none yet. */
export const standing = Effect.fnUntraced(function* (nc: NatsConnection, { interval, node }: BarFile) {
  const manager = yield* Effect.promise(() => jetstreamManager(nc))
  const subject = keySubject(Stream.coverage, Subject.series(node, interval))
  // before the first commit there is no record, and before the first host no bucket
  const stored = yield* Effect.promise(() =>
    manager.streams.getMessage(Stream.coverage.name, { last_by_subj: subject }).catch(() => null)
  )
  return stored === null ? undefined : decodeRoot(decodeRecord(stored.json()).state)
})

/** Reads on in the history of a series' roots; gives all that was read, in order. */
const follower = Effect.fnUntraced(function* (nc: NatsConnection, { interval, node }: BarFile) {
  const manager = yield* Effect.promise(() => jetstreamManager(nc))
  const subject = Subject.audit(Subject.series(node, interval))
  const roots: Array<CoverageRoot> = []
  let seq = 1
  return Effect.gen(function* () {
    for (;;) {
      const query = { seq, next_by_subj: subject }
      const found = yield* Effect.promise(() => manager.streams.getMessage(Stream.audit.name, query))
      if (found === null) return roots
      roots.push(decodeRoot(found.json()))
      seq = found.seq + 1
    }
  })
})

/** Every root that the series is on record to have had, in order. */
export const audited = (nc: NatsConnection, file: BarFile) => Effect.flatten(follower(nc, file))

/** Every root that the series has had, and the one that stands: from when the history ends with that. */
export const settled = Effect.fnUntraced(function* (nc: NatsConnection, file: BarFile) {
  const readOn = yield* follower(nc, file)
  let root: CoverageRoot | undefined
  let roots: ReadonlyArray<CoverageRoot> = []
  yield* untilTrue(
    "the audit stream has the root that stands",
    Effect.gen(function* () {
      // there may be another by now
      root = yield* standing(nc, file)
      roots = yield* readOn
      return roots.at(-1)?.version === root?.version
    })
  )
  return { root, roots }
})

/** What keeps the changes of roots that leave nothing to their pages from adding up to what is covered. */
const misfits = (roots: ReadonlyArray<CoverageRoot>, last: CoverageRoot): ReadonlyArray<string> => {
  const replay = roots.map(fromRoot).reduce(replayEntry, begin)
  const { firstBreak } = conclude(replay, { root: last, covered: last.covered })
  return firstBreak === undefined ? [] : [`version ${firstBreak.version}: ${firstBreak.problem}`]
}

/** What keeps a list of roots from being a whole history, from the first to `last`; empty where nothing does. */
export const gaps = (roots: ReadonlyArray<CoverageRoot>, last: CoverageRoot | undefined): ReadonlyArray<string> => {
  const broken = roots.flatMap(({ previousRootHash, version }, index) => {
    const before = roots[index - 1]
    const link = before === undefined ? "" : rootHash(before)
    return version === index + 1 && previousRootHash === link ? [] : [`version ${version} does not follow at ${index}`]
  })
  const end = roots.at(-1)
  const isWhole = last === undefined ? end === undefined : end !== undefined && rootHash(end) === rootHash(last)
  if (!isWhole) return [...broken, `it ends with ${end?.version}, and version ${last?.version} stands`]
  return last === undefined ? broken : [...broken, ...misfits(roots, last)]
}
