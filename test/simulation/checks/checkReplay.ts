/**
 * Does the history of each series replay to the coverage that stands? (Invariant 5)
 *
 * By the replay of the product: each entry follows the one before, names it by its hash, and its changes make the
 * coverage before it into its own. And who asks a host whether the history holds is told that it does.
 */
import { Option, Schema } from "effect"
import { fromStored } from "../../../actors/admin/AuditEntry.ts"
import { begin, conclude, replayEntry } from "../../../actors/admin/replayAudit.ts"
import { CoverageRoot } from "../../../protocol/history/CoverageRoot.ts"
import * as Codec from "../../../protocol/wire/Codec.ts"
import * as Stream from "../../../protocol/wire/Stream.ts"
import { keyOf } from "../../../protocol/wire/StreamSpec.ts"
import * as Subject from "../../../protocol/wire/Subject.ts"
import type { StoredEntry } from "../../../runtime/simulated/SimulatedServer.ts"
import type { Operation } from "../History.ts"

const decodeRoot = Schema.decodeUnknownSync(Schema.Struct({ state: CoverageRoot }))

const rootIn = ({ data }: StoredEntry): CoverageRoot => decodeRoot(Option.getOrThrow(Codec.fromJson(data))).state

/** Histories that do not add up to the root that stands. */
export const checkReplay = (stored: ReadonlyArray<StoredEntry>): ReadonlyArray<string> => {
  const roots = new Map<string, StoredEntry>()
  for (const entry of stored) {
    if (entry.stream === Stream.coverage.name && entry.form === "value") roots.set(entry.subject, entry)
  }
  return Array.from(roots.values()).flatMap((entry) => {
    const key = keyOf(Stream.coverage, entry.subject)
    const root = rootIn(entry)
    const replay = stored
      .filter(({ subject }) => subject === Subject.audit(key))
      .map(({ data, revision, subject }) => fromStored({ subject, revision, value: Option.some(data) }))
      .reduce(replayEntry, begin)
    const { firstBreak } = conclude(replay, { root, covered: root.covered })
    return firstBreak === undefined ? [] : [`the history of ${key} breaks: ${firstBreak.problem}`]
  })
}

const toldBreak = Schema.decodeUnknownOption(
  Schema.Struct({ verdict: Schema.Struct({ firstBreak: Schema.Struct({ problem: Schema.String }) }) })
)

/** What operators were told of histories that do not hold. */
export const checkVerdicts = (operations: ReadonlyArray<Operation>): ReadonlyArray<string> =>
  operations.flatMap(({ about, answer, id, what }) =>
    what !== "audit"
      ? []
      : Option.match(toldBreak(answer), {
          onNone: () => [],
          onSome: ({ verdict }) => [`audit ${id} of ${about}: ${verdict.firstBreak.problem}`]
        })
  )
