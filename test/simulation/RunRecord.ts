/**
 * What was stored in a run, in forms that can be judged?
 *
 * What storage lost in a power failure is left out: the invariants speak of what has stayed. Only lost roots are
 * remembered, since what was done upon them has stayed.
 */
import { Option, Schema } from "effect"
import { BackfillJob } from "../../protocol/history/BackfillJob.ts"
import type { Range } from "../../protocol/history/Range.ts"
import { SwitchRecord, switchesKey } from "../../protocol/Switches.ts"
import * as Codec from "../../protocol/wire/Codec.ts"
import * as Stream from "../../protocol/wire/Stream.ts"
import { settings } from "../../protocol/wire/SettingsBucket.ts"
import { keyOf } from "../../protocol/wire/StreamSpec.ts"
import * as Subject from "../../protocol/wire/Subject.ts"
import type { StoredEntry } from "../../runtime/simulated/SimulatedServer.ts"
import type { History } from "./History.ts"

interface Written {
  readonly subject: string
  readonly revision: number
  readonly atMs: number
  /** Its place among all that was stored. */
  readonly atOrder: number
  /** The process that wrote it. */
  readonly by?: string | undefined
}

/** A state record, as far as writers are judged by it. */
interface StateWritten extends Written {
  readonly record: {
    readonly slotEpoch: number
    readonly epoch: number
    readonly owner: string
    readonly slot?: string
  }
}

/** What a root changed, and why. */
interface Diff {
  readonly added: ReadonlyArray<Range>
  readonly removed: ReadonlyArray<Range>
  readonly revised?: ReadonlyArray<Range>
  readonly jobs: ReadonlyArray<string>
  readonly cause: string
}

/** A root in plain data. */
interface Root {
  readonly version: number
  readonly covered: ReadonlyArray<Range>
  readonly exceptions: ReadonlyArray<{ readonly start: number; readonly end: number; readonly state: string }>
  readonly unsettled?: ReadonlyArray<{ readonly start: number; readonly end: number }>
  readonly diff: Diff
  readonly pages: ReadonlyArray<{ readonly id: string }>
}

/** A root that was committed. */
export interface RootWritten extends Written {
  readonly node: string
  readonly interval: string
  readonly root: Root
}

interface SlotWritten extends Written {
  readonly record: { readonly owner: string; readonly slotEpoch: number }
}

interface JobWritten extends Written {
  readonly job: BackfillJob
}

/** A root as it is in the audit stream. */
interface AuditWritten extends Written {
  readonly version: number
  readonly covered?: ReadonlyArray<Range>
}

/** A page that a source was asked for, and of what. */
interface Asked {
  readonly atMs: number
  readonly host: string
  readonly node: string
  readonly startMs: number
  readonly endMs: number
}

/** What was turned on and off, and when. */
export interface SwitchesWritten {
  readonly atMs: number
  readonly record: SwitchRecord
}

/** What was stored, by what it is. */
export interface RunRecord {
  readonly coverage: ReadonlyArray<StateWritten>
  readonly registers: ReadonlyArray<StateWritten>
  readonly roots: ReadonlyArray<RootWritten>
  /** Roots that were acknowledged, and that storage has lost. */
  readonly lostRoots: ReadonlyArray<RootWritten>
  readonly slots: ReadonlyArray<SlotWritten>
  readonly jobs: ReadonlyArray<JobWritten>
  readonly audited: ReadonlyArray<AuditWritten>
  /** By id. */
  readonly pages: ReadonlyMap<string, { readonly atOrder: number; readonly chunkIds: ReadonlyArray<string> }>
  /** When each was stored first, by id. */
  readonly chunks: ReadonlyMap<string, number>
  readonly pagesAsked: ReadonlyArray<Asked>
  readonly switches: ReadonlyArray<SwitchesWritten>
  /** Which process an incarnation was. */
  readonly processes: ReadonlyMap<string, string>
  /** When each incarnation joined. */
  readonly joinedAtMs: ReadonlyMap<string, number>
}

/** The value of a record as the product writes it. */
interface Forms {
  readonly state: StateWritten["record"] & { readonly state: unknown }
  readonly root: StateWritten["record"] & { readonly state: Root }
  readonly slot: SlotWritten["record"]
  readonly page: { readonly windows: ReadonlyArray<{ readonly chunks: ReadonlyArray<{ readonly id: string }> }> }
  readonly audit: { readonly version: number; readonly covered: ReadonlyArray<Range> }
}

const switchesOf = Schema.decodeUnknownSync(SwitchRecord)
const jobOf = Schema.decodeUnknownSync(BackfillJob)

// what the product writes it decodes by its schemas; here most of it is only looked at
function parsed<Form extends keyof Forms>(form: Form, data: Uint8Array): Forms[Form]
function parsed(_form: string, data: Uint8Array): unknown {
  return Option.getOrThrow(Codec.fromJson(data))
}

const lastToken = (subject: string): string => subject.slice(subject.lastIndexOf(".") + 1)

const seriesOf = (subject: string): Pick<RootWritten, "node" | "interval"> =>
  Option.match(Subject.parseSeries(keyOf(Stream.coverage, subject)), {
    onNone: () => ({ node: subject, interval: "" }),
    onSome: ({ interval, nodeId }) => ({ node: nodeId, interval })
  })

/** What a run has of the series of one interval: where nodes are told apart by their names alone. */
export const ofInterval = (run: RunRecord, wanted: string): RunRecord => ({
  ...run,
  roots: run.roots.filter(({ interval }) => interval === wanted),
  lostRoots: run.lostRoots.filter(({ interval }) => interval === wanted),
  jobs: run.jobs.filter(({ job }) => job.series.interval === wanted)
})

const rootOf = ({ data, subject, ...entry }: StoredEntry, atOrder: number): RootWritten => ({
  ...entry,
  subject,
  atOrder,
  ...seriesOf(subject),
  root: parsed("root", data).state
})

/** Everything of one run. */
export const recordOf = (history: History, nodes: ReadonlyArray<string>): RunRecord => {
  const record = {
    coverage: new Array<StateWritten>(),
    registers: new Array<StateWritten>(),
    roots: new Array<RootWritten>(),
    lostRoots: history.lost
      .filter(({ form, stream }) => form === "value" && stream === Stream.coverage.name)
      .map((entry) => rootOf(entry, -1)),
    slots: new Array<SlotWritten>(),
    jobs: new Array<JobWritten>(),
    audited: new Array<AuditWritten>(),
    pages: new Map<string, { readonly atOrder: number; readonly chunkIds: ReadonlyArray<string> }>(),
    chunks: new Map<string, number>(),
    processes: new Map<string, string>(),
    joinedAtMs: new Map<string, number>(),
    switches: new Array<SwitchesWritten>(),
    pagesAsked: history.pages.map(({ series, ...asked }) => ({ ...asked, node: nodes[series] ?? "" }))
  }
  const take = ({ data, form, stream, ...entry }: StoredEntry, atOrder: number): void => {
    const written: Written = { ...entry, atOrder }
    if (form !== "value") return
    if (stream === Stream.sessions.name) {
      const incarnation = keyOf(Stream.sessions, entry.subject)
      record.processes.set(incarnation, entry.by ?? "")
      if (!record.joinedAtMs.has(incarnation)) record.joinedAtMs.set(incarnation, entry.atMs)
      return
    }
    if (stream === settings.name) {
      record.switches.push({ atMs: entry.atMs, record: switchesOf(Option.getOrThrow(Codec.fromJson(data))) })
    } else if (stream === Stream.coverage.name) {
      const found = parsed("root", data)
      record.coverage.push({ ...written, record: found })
      record.roots.push({ ...written, ...seriesOf(entry.subject), root: found.state })
    } else if (stream === Stream.actors.name) {
      record.registers.push({ ...written, record: parsed("state", data) })
    } else if (stream === Stream.slots.name) record.slots.push({ ...written, record: parsed("slot", data) })
    else if (stream === Stream.jobs.name) {
      record.jobs.push({ ...written, job: jobOf(Option.getOrThrow(Codec.fromJson(data))) })
    } else if (stream === Stream.audit.name) {
      // what sweeps note is no root, nor is a turn of a switch
      if (entry.subject.endsWith(".swept") || entry.subject === Subject.audit(switchesKey)) return
      const { covered, version } = parsed("audit", data)
      record.audited.push({ ...written, version, covered })
    } else if (stream === Stream.chunks.name) {
      const id = lastToken(entry.subject)
      if (!record.chunks.has(id)) record.chunks.set(id, atOrder)
    } else if (stream === Stream.pages.name) {
      const id = lastToken(entry.subject)
      if (record.pages.has(id)) return
      const chunkIds = parsed("page", data).windows.flatMap(({ chunks }) => chunks.map((chunk) => chunk.id))
      record.pages.set(id, { atOrder, chunkIds })
    }
  }
  for (const [index, entry] of history.stored.entries()) take(entry, index)
  return record
}
