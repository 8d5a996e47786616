/** What does a checker see of a run in which only one thing happened? */
import type { BackfillJob } from "../../../protocol/history/BackfillJob.ts"
import type { Range } from "../../../protocol/history/Range.ts"
import * as RangeSet from "../../../protocol/history/RangeSet.ts"
import * as Stream from "../../../protocol/wire/Stream.ts"
import { keySubject } from "../../../protocol/wire/StreamSpec.ts"
import type { Operation } from "../History.ts"
import type { RootWritten, RunRecord } from "../RunRecord.ts"

/** A run of which only this was stored. */
export const recordWith = (parts: Partial<RunRecord>): RunRecord => ({
  coverage: [],
  registers: [],
  roots: [],
  lostRoots: [],
  slots: [],
  jobs: [],
  audited: [],
  pages: new Map(),
  chunks: new Map(),
  pagesAsked: [],
  switches: [],
  processes: new Map(),
  joinedAtMs: new Map(),
  ...parts
})

/** A write of that revision: revisions are a second apart, and count what was stored. */
const written = (subject: string, revision: number) => ({ subject, revision, atMs: revision * 1000, atOrder: revision })

/** Who has a slot, from that revision on. */
export const slotWritten = (
  revision: number,
  record: { readonly owner: string; readonly slotEpoch: number },
  slot = "7"
): RunRecord["slots"][number] => ({ ...written(keySubject(Stream.slots, slot), revision), record })

/** What an actor has saved, as far as writers are judged by it. */
export const stateWritten = (
  revision: number,
  record: { readonly owner: string; readonly epoch: number; readonly slotEpoch: number },
  key = "k"
): RunRecord["registers"][number] => ({ ...written(keySubject(Stream.actors, key), revision), record })

/** What a root says. */
interface RootSays {
  readonly version: number
  readonly covered: ReadonlyArray<Range>
  readonly pages?: ReadonlyArray<string>
  readonly exceptions?: RootWritten["root"]["exceptions"]
  readonly diff?: Partial<RootWritten["root"]["diff"]>
}

/** A root of the first series of a run. */
export const rootWritten = (
  revision: number,
  { covered, diff, exceptions = [], pages = [], version }: RootSays
): RootWritten => ({
  ...written(keySubject(Stream.coverage, "series"), revision),
  node: "sim:a",
  interval: "1m",
  root: {
    version,
    covered,
    exceptions,
    diff: { added: [], removed: [], jobs: [], cause: "", ...diff },
    pages: pages.map((id) => ({ id }))
  }
})

const job: BackfillJob = {
  format: 1,
  series: { nodeId: "sim:a", interval: "1m" },
  windowStart: 0,
  run: 1,
  state: "PENDING",
  jobClass: "interactive",
  ranges: RangeSet.empty,
  completedRanges: RangeSet.empty,
  sources: ["exchange"],
  generation: 0,
  fence: 0,
  lease: null,
  renewals: 0,
  attempts: 0,
  failure: null,
  passedOver: [],
  requests: 0,
  coverageVersion: 0,
  nextAttemptAt: null,
  cause: "",
  traceParent: "",
  nonce: ""
}

/** A job as it was made by that revision: one that waits for its first worker, but for what is told. */
export const jobWritten = (revision: number, changes: Partial<BackfillJob> = {}): RunRecord["jobs"][number] => ({
  ...written(keySubject(Stream.jobs, "window"), revision),
  job: { ...job, ...changes }
})

/** Somebody's work on a job, for that holder. */
export const leasedTo = (holder: string): BackfillJob["lease"] => ({ holder, leaseMs: 10_000 })

/** An operation that ended well in its first tenth of a second, but for what is told. */
export const operationWith = (changes: Partial<Operation>): Operation => ({
  client: "x",
  id: "op1",
  what: "append",
  about: "r0",
  invokedAtMs: 0,
  untilMs: 1000,
  completedAtMs: 100,
  outcome: "ok",
  answer: undefined,
  ...changes
})
