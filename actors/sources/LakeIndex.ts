/**
 * Which files does a lake have, and what is in each of them?
 *
 * The files are listed for each question; what is in one is learnt once, and again when its size or its time of change
 * is another. A file that was there and is gone is missed: where no other file has its time, questions about that
 * time fail.
 */
import { Effect, Result, Semaphore } from "effect"
import { statSync } from "node:fs"
import { isAbsolute, join } from "node:path"
import { isoTime } from "../../protocol/history/isoTime.ts"
import type { Range } from "../../protocol/history/Range.ts"
import { isEmpty } from "../../protocol/history/RangeMeasure.ts"
import * as RangeSet from "../../protocol/history/RangeSet.ts"
import type { LakeSettings } from "../../protocol/SourceSettings.ts"
import type { RequestFailed } from "./DataSource.ts"
import { filesWith } from "./lakeSymbols.ts"
import { isRemote } from "./lakeTable.ts"
import { type FileFacts, type LakeFile, learnFile } from "./learnFile.ts"
import { type FileReader, unreadable } from "./Parquet.ts"

/** What a lake has. */
export interface LakeIndex {
  /** The symbols that paths have; undefined where no path has one. */
  readonly pathSymbols: Effect.Effect<ReadonlyArray<string> | undefined, RequestFailed>
  /**
   * The files whose paths have a symbol, in the order of their names, and of them those rows that are `wanted`: the
   * symbol that a column has, where one does. Fails where time of the range was in a file that is gone.
   */
  readonly filesOf: (
    symbol: string | undefined,
    range: Range,
    wanted?: string
  ) => Effect.Effect<ReadonlyArray<FileFacts>, RequestFailed>
  /** Fails where a file is not any more what it was when it was learnt. */
  readonly unchanged: (files: ReadonlyArray<FileFacts>) => Effect.Effect<void, RequestFailed>
}

// listing takes about a second then
const filesMax = 20_000
/** The pattern with a name in the place of each part that it leaves open. */
const symbolOf = (pattern: string, path: string): string | undefined => {
  if (!pattern.includes("{symbol}")) return undefined
  const source = pattern.split(/(\{symbol\}|\*\*\/|\*|\?)/).map((part, at, parts) => {
    if (part === "{symbol}") return parts.indexOf(part) === at ? "(?<symbol>[^/]+?)" : "\\k<symbol>"
    if (part === "**/") return "(?:.*/)?"
    if (part === "*") return "[^/]*"
    return part === "?" ? "[^/]" : part.replaceAll(/[\\^$.()|[\]{}+/-]/g, "\\$&")
  })
  return new RegExp(`^${source.join("")}$`).exec(path)?.groups?.["symbol"]
}

const patternsOf = ({ path }: LakeSettings, folder: string): ReadonlyArray<string> =>
  (typeof path === "string" ? [path] : path).map((each) =>
    isRemote(each) || isAbsolute(each) ? each : join(folder, each)
  )

const isFolder = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false

/** The files that match the patterns now, by name. */
const list = Effect.fnUntraced(function* (reader: FileReader, patterns: ReadonlyArray<string>) {
  const found = new Map<string, LakeFile>()
  for (const pattern of patterns) {
    const listed = yield* reader.ask({
      sql:
        "SELECT filename, CAST(size AS VARCHAR) || ' ' || CAST(epoch_us(last_modified) AS VARCHAR) AS stamp " +
        `FROM read_blob($pattern) ORDER BY filename LIMIT ${filesMax + 1}`,
      values: { pattern: pattern.replaceAll("{symbol}", "*") }
    })
    for (const [at, cell] of (listed["filename"] ?? []).entries()) {
      const name = String(cell)
      found.set(name, { name, stamp: String(listed["stamp"]?.[at]), symbol: symbolOf(pattern, name) })
    }
  }
  if (found.size > filesMax) return yield* unreadable(`more than ${filesMax} files match ${patterns.join(", ")}`)
  // a disk that is not mounted looks like this
  if (found.size === 0) {
    const [folder] = patterns.filter((pattern) => !isRemote(pattern) && isFolder(pattern))
    const hint =
      folder === undefined ? "" : `: ${folder} is a folder, and its files are ${join(folder, "*.csv")} or such`
    return yield* unreadable(`no file matches ${patterns.join(", ")}${hint}`, true)
  }
  return Array.from(found.values()).toSorted((a, b) => (a.name < b.name ? -1 : 1))
})

/** Fails where time of the range was in a file that is gone, and is in no other. */
const missGone = Effect.fnUntraced(function* (
  gone: ReadonlyArray<FileFacts>,
  present: ReadonlyArray<FileFacts>,
  range: Range
) {
  const there = RangeSet.make(present.flatMap(({ span }) => (span === undefined ? [] : [[span[0], span[1] + 1]])))
  for (const { file, span } of gone) {
    if (span === undefined) continue
    const lost = RangeSet.subtract(RangeSet.of(span[0], span[1] + 1), there)
    if (isEmpty(RangeSet.intersect(lost, RangeSet.of(...range)))) continue
    const time = `${isoTime(span[0])} to ${isoTime(span[1])}`
    return yield* unreadable(`${file.name} is gone, which had ${time}: put it back, or start the host anew`, true)
  }
})

/** A lake's files under some settings; relative paths count from `folder`. */
export const make = Effect.fnUntraced(function* (settings: LakeSettings, folder: string, reader: FileReader) {
  const known = new Map<string, FileFacts>()
  const patterns = patternsOf(settings, folder)
  const turn = yield* Semaphore.make(1)

  const factsOf = Effect.fnUntraced(function* (file: LakeFile) {
    const before = known.get(file.name)
    if (before?.file.stamp === file.stamp) return before
    const facts = yield* learnFile({ settings, reader }, file)
    known.set(file.name, facts)
    return facts
  })

  const filesOf = Effect.fnUntraced(function* (symbol: string | undefined, range: Range, wanted?: string) {
    const listed = yield* list(reader, patterns)
    const files = listed.filter((file) => symbol === undefined || file.symbol === symbol)
    if (files.length === 0) return yield* unreadable(`no file is there any more of ${symbol}`, true)
    const facts = yield* Effect.forEach(files, factsOf)
    const names = new Set(files.map(({ name }) => name))
    const gone = Array.from(known.values()).filter(({ file }) => !names.has(file.name) && file.symbol === symbol)
    if (wanted === undefined) {
      yield* missGone(gone, facts, range)
      return facts
    }
    const chosen = Result.getOrElse(filesWith(wanted, facts), () => [])
    // what is gone is told before that nothing else has the symbol
    yield* missGone(
      Result.getOrElse(filesWith(wanted, gone), () => []),
      chosen,
      range
    )
    return yield* Effect.mapError(Effect.fromResult(filesWith(wanted, facts)), (problem) => unreadable(problem))
  })

  const unchanged = Effect.fnUntraced(function* (files: ReadonlyArray<FileFacts>) {
    const now = new Map((yield* list(reader, patterns)).map(({ name, stamp }) => [name, stamp]))
    const other = files.find(({ file }) => now.get(file.name) !== file.stamp)
    if (other === undefined) return
    return yield* unreadable(`${other.file.name} changed while it was read: it is read anew`, true)
  })

  const index: LakeIndex = {
    pathSymbols: Effect.map(list(reader, patterns), (files) => {
      const symbols = new Set(files.flatMap(({ symbol }) => (symbol === undefined ? [] : [symbol])))
      return patterns.some((pattern) => pattern.includes("{symbol}")) ? Array.from(symbols) : undefined
    }),
    // one at a time: those who wait find learnt what the first had to learn
    filesOf: (symbol, range, wanted) => turn.withPermits(1)(filesOf(symbol, range, wanted)),
    unchanged
  }
  return index
})
