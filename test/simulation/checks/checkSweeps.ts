/**
 * Is nothing deleted that a root names which is kept, and does everything else go? (Invariant 3)
 *
 * Each deletion is judged by the roots that were kept at that moment: the one that stood, and those of the log. What a
 * new root names is there. In the end nothing old is left that no root names, and no root that counts no more.
 */
import { Option } from "effect"
import * as Codec from "../../../protocol/wire/Codec.ts"
import * as Stream from "../../../protocol/wire/Stream.ts"
import type { RemovedEntry, StoredEntry } from "../../../runtime/simulated/SimulatedServer.ts"
import type { Fault } from "../History.ts"
import { type Retention, sweptAfter } from "../Retention.ts"
import { epochMs } from "../SimulatedProcess.ts"

/** What is there under a name. */
interface Held {
  readonly revision: number
  readonly atMs: number
}

/** A root that is kept, and what it names. */
interface Root extends Held {
  readonly subject: string
  readonly version: number
  readonly committedAt: number
  readonly pages: ReadonlyArray<string>
}

/** What there is at a moment. */
interface Store {
  /** By id. */
  readonly chunks: Map<string, Held>
  readonly pages: Map<string, Held>
  /** By subject. */
  readonly standing: Map<string, Root>
  /** By revision. */
  readonly logged: Map<number, Root>
  /** What each page names, also of pages that are gone. */
  readonly chunksOf: Map<string, ReadonlyArray<string>>
}

interface PageForm {
  readonly windows: ReadonlyArray<{ readonly chunks: ReadonlyArray<{ readonly id: string }> }>
}
interface RootForm {
  readonly version: number
  readonly committedAt: number
  readonly pages?: ReadonlyArray<{ readonly id: string }>
}

// what the product writes it decodes by its schemas; here most of it is only looked at
function parsed(data: Uint8Array): PageForm & RootForm & { readonly state: RootForm }
function parsed(data: Uint8Array): unknown {
  return Option.getOrThrow(Codec.fromJson(data))
}

const idOf = (subject: string): string => subject.slice(subject.lastIndexOf(".") + 1)

const rootOf = ({ atMs, revision, subject }: StoredEntry, { committedAt, pages = [], version }: RootForm): Root => ({
  subject,
  revision,
  atMs,
  version,
  committedAt,
  pages: pages.map(({ id }) => id)
})

const keptRoots = ({ logged, standing }: Store): ReadonlyArray<Root> => [...standing.values(), ...logged.values()]

const named = (store: Store, roots: ReadonlyArray<Root>): Record<"chunks" | "pages", ReadonlySet<string>> => {
  const pages = new Set(roots.flatMap((root) => root.pages))
  return { pages, chunks: new Set(Array.from(pages).flatMap((id) => store.chunksOf.get(id) ?? [])) }
}

/** What of a root is not there. */
const lacking = (store: Store, root: Root): ReadonlyArray<string> => {
  const { chunks, pages } = named(store, [root])
  const gone = [
    ...Array.from(pages).flatMap((id) => (store.pages.has(id) ? [] : [`page ${id}`])),
    ...Array.from(chunks).flatMap((id) => (store.chunks.has(id) ? [] : [`chunk ${id}`]))
  ]
  return gone.map((what) => `version ${root.version} of ${root.subject} names ${what}, which is not there`)
}

const take = (store: Store, entry: StoredEntry): ReadonlyArray<string> => {
  const { atMs, data, form, revision, stream, subject } = entry
  if (form !== "value") return []
  if (stream === Stream.chunks.name) store.chunks.set(idOf(subject), { revision, atMs })
  else if (stream === Stream.pages.name) {
    const id = idOf(subject)
    store.pages.set(id, { revision, atMs })
    if (!store.chunksOf.has(id)) {
      store.chunksOf.set(
        id,
        parsed(data).windows.flatMap(({ chunks }) => chunks.map((chunk) => chunk.id))
      )
    }
  } else if (stream === Stream.audit.name && !subject.endsWith(".swept")) {
    store.logged.set(revision, rootOf(entry, parsed(data)))
  } else if (stream === Stream.coverage.name) {
    const root = rootOf(entry, parsed(data).state)
    store.standing.set(subject, root)
    return lacking(store, root)
  }
  return []
}

const kindOf = (stream: string): "chunks" | "pages" | undefined => {
  if (stream === Stream.chunks.name) return "chunks"
  return stream === Stream.pages.name ? "pages" : undefined
}

const remove = (store: Store, { atMs, revision, stream, subject }: RemovedEntry): ReadonlyArray<string> => {
  if (stream === Stream.audit.name) store.logged.delete(revision)
  const kind = kindOf(stream)
  if (kind === undefined) return []
  const id = idOf(subject)
  // one that was put afresh since stays
  if (store[kind].get(id)?.revision !== revision) return []
  store[kind].delete(id)
  return named(store, keptRoots(store))[kind].has(id)
    ? [`at ${atMs.toFixed(0)} ms ${subject} was deleted, which a root names that is kept`]
    : []
}

/** What was stored and removed in a run, and how it sweeps. */
interface Swept {
  readonly stored: ReadonlyArray<StoredEntry>
  readonly removed: ReadonlyArray<RemovedEntry>
  readonly faults: ReadonlyArray<Fault>
  readonly retention: Retention
  readonly endMs: number
}

const inOrder = ({ removed, stored }: Swept): ReadonlyArray<(store: Store) => ReadonlyArray<string>> =>
  [
    ...stored.map((entry) => ({ atMs: entry.atMs, act: (store: Store) => take(store, entry) })),
    ...removed.map((entry) => ({ atMs: entry.atMs, act: (store: Store) => remove(store, entry) }))
  ]
    .toSorted((a, b) => a.atMs - b.atMs)
    .map(({ act }) => act)

/** How wrong clocks may be in a run with these faults. */
export const skewOf = (faults: ReadonlyArray<Fault>): number =>
  faults.reduce((sum, { kind }) => sum + Math.abs(Number(/^clock set by (-?\d+) ms$/.exec(kind)?.[1] ?? 0)), 0)

/** So long the sweeper may take for a sweep, and to come back from the last fault. */
const worksMs = 5000

/** What is left that had its time, after two sweeps at least. */
const left = (store: Store, { endMs, faults, removed, retention, stored }: Swept): ReadonlyArray<string> => {
  const { rootsMs, sweepEveryMs } = retention
  const sinceMs = endMs - 2 * sweepEveryMs - worksMs
  const oldMs = sinceMs - skewOf(faults)
  const lately = new Set(
    removed.flatMap(({ atMs, revision, stream }) => (stream === Stream.audit.name && atMs >= sinceMs ? [revision] : []))
  )
  const gone = stored.flatMap((entry) =>
    entry.stream === Stream.audit.name && lately.has(entry.revision) && !entry.subject.endsWith(".swept")
      ? [rootOf(entry, parsed(entry.data))]
      : []
  )
  const ids = named(store, [...keptRoots(store), ...gone])
  const unnamed = (["chunks", "pages"] as const).flatMap((kind) =>
    Array.from(store[kind])
      .filter(([id, { atMs }]) => atMs < oldMs - sweptAfter.ageMs && !ids[kind].has(id))
      .map(([id, { atMs }]) => `at the end, ${kind} has ${id} of ${atMs.toFixed(0)} ms, which no root names`)
  )
  const countMs = oldMs - Math.max(rootsMs, sweptAfter.ageMs) - sweptAfter.graceMs
  const counting = Map.groupBy(store.logged.values(), ({ subject }) => subject)
  const old = Array.from(counting).flatMap(([subject, roots]) => {
    const before = roots.filter(({ committedAt }) => committedAt < epochMs + countMs)
    return before.length < 2 ? [] : [`at the end, ${subject} has ${before.length} roots that do not count any more`]
  })
  return [...unnamed, ...old]
}

/** What was deleted and may not be, or may be and was not. */
export const checkSweeps = (swept: Swept): ReadonlyArray<string> => {
  const store: Store = {
    chunks: new Map(),
    pages: new Map(),
    standing: new Map(),
    logged: new Map(),
    chunksOf: new Map()
  }
  const problems = inOrder(swept).flatMap((act) => act(store))
  return [...problems, ...keptRoots(store).flatMap((root) => lacking(store, root)), ...left(store, swept)]
}
