/**
 * Where are chunks and pages, and how do they get there?
 *
 * Both are immutable and named by the hash of their bytes, so whoever has one once never asks for it again. They are
 * put before anything names them; a crash in between leaves bytes that nobody names, never a name without bytes.
 */
import { Context, Effect, Layer, Option, Schedule, Schema } from "effect"
import { Attribute, Span } from "../../protocol/Telemetry.ts"
import { sha256 } from "../../protocol/frame/contentHash.ts"
import type { Frame } from "../../protocol/frame/Frame.ts"
import * as Chunk from "../../protocol/history/Chunk.ts"
import { CoveragePage } from "../../protocol/history/CoveragePage.ts"
import { StoreDamaged } from "../../protocol/history/Errors.ts"
import { asField, type Findings } from "../../protocol/history/Findings.ts"
import type { Series } from "../../protocol/history/Series.ts"
import * as Codec from "../../protocol/wire/Codec.ts"
import type { MeshUnavailable } from "../../protocol/wire/Errors.ts"
import * as Stream from "../../protocol/wire/Stream.ts"
import * as Subject from "../../protocol/wire/Subject.ts"
import { Mesh } from "../../runtime/Mesh.ts"
import * as Cache from "./Cache.ts"

/** Where a chunk is: its window and its id. */
export interface ChunkName {
  readonly windowStart: number
  readonly id: string
}

/** What a read of the store gave, and how much of it was in memory already. */
export interface Fetched {
  /** By chunk id. */
  readonly frames: ReadonlyMap<string, Frame>
  /** What quality rules found, by chunk id; absent where they found nothing. */
  readonly findings: ReadonlyMap<string, Findings>
  readonly fromCache: number
  readonly fromStorage: number
}

type Failure = MeshUnavailable | StoreDamaged

/** The store of chunks and pages. */
export class ChunkStore extends Context.Service<
  ChunkStore,
  {
    readonly putChunk: (
      series: Series,
      windowStart: number,
      chunk: Chunk.EncodedChunk
    ) => Effect.Effect<void, MeshUnavailable>
    /** Gives the page's id. */
    readonly putPage: (series: Series, page: CoveragePage) => Effect.Effect<string, MeshUnavailable>
    readonly pages: (series: Series, ids: ReadonlyArray<string>) => Effect.Effect<ReadonlyArray<CoveragePage>, Failure>
    /** The same for who goes through very many: what others have in memory stays there. */
    readonly pagesOnce: (
      series: Series,
      ids: ReadonlyArray<string>
    ) => Effect.Effect<ReadonlyArray<CoveragePage>, Failure>
    readonly chunks: (series: Series, names: ReadonlyArray<ChunkName>) => Effect.Effect<Fetched, Failure>
    /** The same for who goes through very many. */
    readonly chunksOnce: (series: Series, names: ReadonlyArray<ChunkName>) => Effect.Effect<Fetched, Failure>
    /** How many bytes of memory a chunk takes here; undefined where it is not in memory. Nothing changes by it. */
    readonly bytesInMemory: (id: string) => number | undefined
  }
>()("seamless/sources/ChunkStore") {}

// a batch read ends at 8 MB: 64 chunks of a day of 1-minute bars with room to spare
const chunksPerRead = 64
const readConcurrency = 4
// decoded rows are views of the bytes they came in; a page's entries take about three times their JSON
const decodedPageFactor = 3
const pageCacheShare = 8

const decodePage = Schema.decodeUnknownOption(CoveragePage)
const encodePage = Schema.encodeSync(CoveragePage)

const damaged = (key: string, problem: string) => new StoreDamaged({ key, problem })

const keyOf = (series: Series): string => Subject.series(series.nodeId, series.interval)

const inBatches = <Item>(items: ReadonlyArray<Item>, size: number): ReadonlyArray<ReadonlyArray<Item>> =>
  Array.from({ length: Math.ceil(items.length / size) }, (_, batch) => items.slice(batch * size, (batch + 1) * size))

// one that was the leader a moment ago may still say what it knew then
const leaderTries = 5
const leaderPause = "200 millis"

/** The bytes under a subject, as the stream's leader says: asked again for a while where it has none. */
const readLeader = Effect.fnUntraced(function* (mesh: Mesh["Service"], stream: string, subject: string) {
  for (let tries = 1; ; tries++) {
    const value = Option.flatMap(yield* mesh.read(stream, subject), (stored) => stored.value)
    if (Option.isSome(value) || tries === leaderTries) return value
    yield* Effect.sleep(leaderPause)
  }
})

/**
 * The bytes under each subject. What a batch does not give is asked of the stream's leader before it counts as lost.
 */
const readBytes = Effect.fnUntraced(function* (mesh: Mesh["Service"], stream: string, subjects: ReadonlyArray<string>) {
  const batches = yield* Effect.forEach(inBatches(subjects, chunksPerRead), (batch) => mesh.readMany(stream, batch), {
    concurrency: readConcurrency
  })
  const found = new Map(batches.flat().map((stored) => [stored.subject, stored.value]))
  return yield* Effect.forEach(subjects, (subject) =>
    Effect.gen(function* () {
      const value = found.get(subject) ?? (yield* readLeader(mesh, stream, subject))
      return yield* Effect.mapError(Effect.fromOption(value), () => damaged(subject, "is named but not there"))
    })
  )
})

/** Decodes bytes that must hash to their name. */
const checked = <A>(
  name: { readonly key: string; readonly id: string },
  bytes: Uint8Array,
  decoded: () => Option.Option<A>
) =>
  Effect.suspend(() =>
    sha256(bytes) === name.id
      ? Effect.mapError(Effect.fromOption(decoded()), () => damaged(name.key, "can't be read"))
      : Effect.fail(damaged(name.key, "is not what it was: its hash differs from its name"))
  )

/** What is in memory of a chunk. */
interface Kept {
  readonly frame: Frame
  readonly findings?: Findings
}

const partsOf = (known: ReadonlyMap<string, Kept>): Pick<Fetched, "frames" | "findings"> => ({
  frames: new Map(Array.from(known, ([id, { frame }]) => [id, frame])),
  findings: new Map(
    Array.from(known).flatMap(([id, { findings }]) => (findings === undefined ? [] : [[id, findings] as const]))
  )
})

/** Values that are named by the hash of their bytes: where they are, and what they become. */
interface Shelf<A> {
  readonly stream: string
  readonly decode: (bytes: Uint8Array) => Option.Option<A>
  readonly keep: (id: string, value: A, bytes: number) => void
}

/** The values under these subjects, in their order, each checked against its id. */
const load = Effect.fnUntraced(function* <A>(
  mesh: Mesh["Service"],
  { decode, keep, stream }: Shelf<A>,
  names: ReadonlyArray<{ readonly key: string; readonly id: string }>
) {
  const values = yield* readBytes(
    mesh,
    stream,
    names.map(({ key }) => key)
  )
  return yield* Effect.forEach(values, (bytes, index) =>
    Effect.gen(function* () {
      const name = names[index]!
      const value = yield* checked(name, bytes, () => decode(bytes))
      keep(name.id, value, bytes.length)
      return value
    })
  )
})

// a crash of a stream's leader stops writes for up to 9 s; the same bytes under the same name may be put again
const putAgain = { schedule: Schedule.spaced("250 millis"), times: 40 }

/** Puts bytes under the name that they have by themselves. */
const put = (mesh: Mesh["Service"], subject: string, bytes: Uint8Array): Effect.Effect<void, MeshUnavailable> =>
  mesh.write(subject, bytes).pipe(
    // without an expected revision there is nothing to conflict with
    Effect.catchTag("RevisionConflict", Effect.die),
    Effect.retry(putAgain),
    Effect.asVoid
  )

const make = Effect.fnUntraced(function* (cacheBytes: number) {
  const mesh = yield* Mesh
  const frames = Cache.make<Kept>(cacheBytes)
  const knownPages = Cache.make<CoveragePage>(cacheBytes / pageCacheShare)
  const chunkShelf: Shelf<Kept> = {
    stream: Stream.chunks.name,
    decode: (bytes) =>
      Option.map(Chunk.decode(bytes), ({ frame, header }) => ({ frame, ...asField(Chunk.findingsOf(header)) })),
    keep: frames.put
  }
  const pageShelf: Shelf<CoveragePage> = {
    stream: Stream.pages.name,
    decode: (bytes) => Option.flatMap(Codec.fromJson(bytes), decodePage),
    keep: (id, page, bytes) => knownPages.put(id, page, bytes * decodedPageFactor)
  }

  const chunksBy = (shelf: Shelf<Kept>) =>
    Effect.fn(Span.dataSourceRead)(function* (series: Series, names: ReadonlyArray<ChunkName>) {
      const cached = names.flatMap(({ id }) => {
        const kept = frames.get(id)
        return kept === undefined ? [] : [[id, kept] as const]
      })
      const known = new Map(cached)
      const absent = names.filter(({ id }) => !known.has(id))
      yield* Effect.annotateCurrentSpan({
        [Attribute.source]: "storage",
        [Attribute.nodeId]: series.nodeId,
        [Attribute.interval]: series.interval
      })
      const loaded = yield* load(
        mesh,
        shelf,
        absent.map(({ id, windowStart }) => ({ id, key: Subject.chunk(keyOf(series), windowStart, id) }))
      )
      for (const [index, { id }] of absent.entries()) known.set(id, loaded[index]!)
      return { ...partsOf(known), fromCache: cached.length, fromStorage: loaded.length }
    })

  const pagesBy = (shelf: Shelf<CoveragePage>) =>
    Effect.fnUntraced(function* (series: Series, ids: ReadonlyArray<string>) {
      const known = new Map(ids.map((id) => [id, knownPages.get(id)]))
      const absent = ids.filter((id) => known.get(id) === undefined)
      const names = absent.map((id) => ({ id, key: Subject.page(keyOf(series), id) }))
      const loaded = yield* load(mesh, shelf, names)
      for (const [index, id] of absent.entries()) known.set(id, loaded[index])
      return ids.map((id) => known.get(id)!)
    })

  return ChunkStore.of({
    chunks: chunksBy(chunkShelf),
    chunksOnce: chunksBy({ ...chunkShelf, keep: () => undefined }),
    bytesInMemory: frames.bytesOf,
    pages: pagesBy(pageShelf),
    pagesOnce: pagesBy({ ...pageShelf, keep: () => undefined }),
    putChunk: (series, windowStart, { bytes, ref }) =>
      put(mesh, Subject.chunk(keyOf(series), windowStart, ref.id), bytes),
    putPage: Effect.fnUntraced(function* (series: Series, page: CoveragePage) {
      const bytes = Codec.toJson(encodePage(page))
      const id = sha256(bytes)
      yield* put(mesh, Subject.page(keyOf(series), id), bytes)
      pageShelf.keep(id, page, bytes.length)
      return id
    })
  })
})

/** A store on JetStream that keeps up to `cacheBytes` of what it read in memory. */
export const layer = (cacheBytes: number): Layer.Layer<ChunkStore, never, Mesh> =>
  Layer.effect(ChunkStore, make(cacheBytes))
