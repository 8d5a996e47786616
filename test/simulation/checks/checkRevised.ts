/**
 * Is a bar that its source has changed marked, and does the history tell of it?
 *
 * As the chunks have it that roots name: where two roots that follow each other have another value for a covered bar,
 * the later one says that the bar was revised, and the bar is marked; and the mark stays.
 */
import { Option } from "effect"
import { RowFlag } from "../../../protocol/frame/RowFlag.ts"
import * as Chunk from "../../../protocol/history/Chunk.ts"
import { includes } from "../../../protocol/history/RangeMeasure.ts"
import * as RangeSet from "../../../protocol/history/RangeSet.ts"
import * as Stream from "../../../protocol/wire/Stream.ts"
import type { StoredEntry } from "../../../runtime/simulated/SimulatedServer.ts"
import * as Callers from "../Callers.ts"
import * as Market from "../Market.ts"
import type { RootWritten, RunRecord } from "../RunRecord.ts"

/** What is stored of a bar. */
interface BarSays {
  readonly close: number
  readonly isMarked: boolean
}

const windowMs = Callers.windowBars * Market.barMs

const barIn = (bytes: Uint8Array, bar: number): BarSays | undefined =>
  Option.match(Chunk.decode(bytes), {
    onNone: () => undefined,
    onSome: ({ frame }) => {
      const row = frame.eventTimeMs.indexOf(bar)
      const close = frame.columns.find(({ name }) => name === "close")
      if (row === -1 || close?.type !== "float64") return undefined
      return { close: close.values[row]!, isMarked: (frame.flags[row]! & RowFlag.revised) !== 0 }
    }
  })

/** What each chunk of the bar's windows says of it, by the chunk's id. */
const sayings = (stored: ReadonlyArray<StoredEntry>, bar: number): ReadonlyMap<string, BarSays> => {
  const windowStart = String(Math.floor(bar / windowMs) * windowMs)
  const said = new Map<string, BarSays>()
  for (const { data, stream, subject } of stored) {
    if (stream !== Stream.chunks.name) continue
    const [window, id = ""] = subject.split(".").slice(-2)
    const says = window === windowStart && !said.has(id) ? barIn(data, bar) : undefined
    if (says !== undefined) said.set(id, says)
  }
  return said
}

const checkStep = (after: RootWritten, before: BarSays, now: BarSays, bar: number): ReadonlyArray<string> => {
  const name = `version ${after.root.version} of ${after.node}`
  const isTold = includes(RangeSet.make(after.root.diff.revised ?? []), bar)
  const hasChanged = before.close !== now.close
  const problems: Array<string> = []
  if (hasChanged && !isTold) problems.push(`${name} has bar ${bar} revised, and does not say so`)
  if (!hasChanged && isTold) problems.push(`${name} says that bar ${bar} was revised, which is as it was`)
  if ((hasChanged || before.isMarked) && !now.isMarked) problems.push(`${name} has bar ${bar} without its mark`)
  return problems
}

/** Bars that were changed in silence. */
export const checkRevised = (
  { pages, roots }: RunRecord,
  stored: ReadonlyArray<StoredEntry>,
  restated: Market.Restated | undefined
): ReadonlyArray<string> => {
  if (restated === undefined) return []
  const { bar } = restated
  const said = sayings(stored, bar)
  const last = new Map<string, { readonly version: number; readonly says: BarSays | undefined }>()
  return roots.flatMap((written) => {
    const { root, subject } = written
    const before = last.get(subject)
    if (before?.version === root.version) return []
    const chunks = root.pages.flatMap(({ id }) => pages.get(id)?.chunkIds ?? [])
    const isCovered = includes(RangeSet.make(root.covered), bar)
    const says = isCovered ? chunks.flatMap((id) => said.get(id) ?? [])[0] : undefined
    last.set(subject, { version: root.version, says })
    return before?.says === undefined || says === undefined ? [] : checkStep(written, before.says, says, bar)
  })
}
