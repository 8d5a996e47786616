/**
 * Which bars are covered, and what does a commit change?
 *
 * A set of bars, a generation for each window, the newest chunk of each source in it, and what is known of bars that
 * are not covered. A commit takes effect as a whole or not at all.
 */

/** What is known of a bar that is not covered. */
export type Exception = "deferred" | "unavailable" | "quarantined"

/** The coverage of one series, as it must be. */
export interface CoverageModel {
  version: number
  readonly covered: Set<number>
  /** By window; 0 for those that are absent. */
  readonly generations: Map<number, number>
  /** By window and source. */
  readonly chunks: Map<string, ChunkModel>
  /** By bar. */
  exceptions: ReadonlyMap<number, Exception>
}

/** The chunk of a window: its rows are told by its bars, its name by that and by the fetch that brought it. */
export interface ChunkModel {
  readonly fetch: number
  readonly bars: ReadonlySet<number>
}

/** One window's part of a commit: what was planned on, and the new chunk. */
interface PartModel {
  readonly window: number
  readonly generation: number
  readonly base: ChunkModel | undefined
  readonly chunk: ChunkModel
}

/** What an answer of a source brought. */
export interface CommitModel {
  readonly source: string
  readonly parts: ReadonlyArray<PartModel>
  /** What is known of the answered bars that were not brought. */
  readonly exceptions: ReadonlyMap<number, Exception>
}

/** Nothing covered. */
export const make = (): CoverageModel => ({
  version: 0,
  covered: new Set(),
  generations: new Map(),
  chunks: new Map(),
  exceptions: new Map()
})

/** The same, for trying something on. */
export const copy = (model: CoverageModel): CoverageModel => ({
  ...model,
  covered: new Set(model.covered),
  generations: new Map(model.generations),
  chunks: new Map(model.chunks)
})

const shelf = (window: number, source: string): string => `${window} ${source}`

/** The newest chunk of a source in a window. */
export const chunkOf = ({ chunks }: CoverageModel, window: number, source: string): ChunkModel | undefined =>
  chunks.get(shelf(window, source))

/** The generation of a window. */
export const generationOf = ({ generations }: CoverageModel, window: number): number => generations.get(window) ?? 0

/** Nothing was traded in each third bar: it can be covered, and has no row. */
export const hasRow = (bar: number): boolean => bar % 3 !== 0

const holds = (a: ChunkModel, bars: Iterable<number>): boolean => Array.from(bars).every((bar) => a.bars.has(bar))

const isSame = (a: ChunkModel | undefined, b: ChunkModel | undefined): boolean =>
  a === b || (a !== undefined && b !== undefined && a.fetch === b.fetch && holds(a, b.bars) && holds(b, a.bars))

/** Whether a chunk has the rows of another, no others, and covers what it covers. */
const isAsGood = (a: ChunkModel, b: ChunkModel): boolean =>
  holds(a, b.bars) && holds(b, Array.from(a.bars).filter(hasRow))

/** What a part of a commit comes to. */
const fateOf = (model: CoverageModel, source: string, part: PartModel): "stale" | "there" | "new" => {
  if (part.generation !== generationOf(model, part.window)) return "stale"
  const standing = chunkOf(model, part.window, source)
  if (standing !== undefined && isAsGood(standing, part.chunk)) return "there"
  return isSame(standing, part.base) ? "new" : "stale"
}

const isAlike = (a: ReadonlyMap<number, Exception>, b: ReadonlyMap<number, Exception>): boolean =>
  a.size === b.size && [...b].every(([bar, exception]) => a.get(bar) === exception)

/** What a commit did. */
interface Outcome {
  readonly _tag: "stale" | "there" | "new"
  readonly added: ReadonlyArray<number>
  readonly hasNewChunks: boolean
}

/** What the commit did: nothing where it was stale or is there already. */
export const commit = (model: CoverageModel, { exceptions, parts, source }: CommitModel): Outcome => {
  const fates = parts.map((part) => fateOf(model, source, part))
  if (fates.includes("stale")) return { _tag: "stale", added: [], hasNewChunks: false }
  const brought = parts.flatMap(({ chunk }) => [...chunk.bars])
  const added = brought.filter((bar) => !model.covered.has(bar))
  for (const bar of brought) model.covered.add(bar)
  for (const [index, { chunk, window }] of parts.entries()) {
    if (fates[index] === "new") model.chunks.set(shelf(window, source), chunk)
  }
  const before = model.exceptions
  model.exceptions = new Map([...before, ...exceptions].filter(([bar]) => !model.covered.has(bar)))
  const isNew = fates.includes("new") || added.length > 0 || !isAlike(before, model.exceptions)
  if (isNew) model.version += 1
  return { _tag: isNew ? "new" : "there", added, hasNewChunks: fates.includes("new") }
}

/** A window is invalidated: what was planned on it before is stale. */
export const raiseGeneration = (model: CoverageModel, window: number): void => {
  model.generations.set(window, generationOf(model, window) + 1)
}
