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
import { asField, type Findings } from "../../protocol/history/Findings.ts"
import type { Series } from "../../protocol/history/Series.ts"
import * as Codec from "../../protocol/wire/Codec.ts"
import type { MeshUnavailable } from "../../protocol/wire/Errors.ts"
import * as Stream from "../../protocol/wire/Stream.ts"
import * as Subject from "../../protocol/wire/Subject.ts"
import { Mesh } from "../../runtime/Mesh.ts"
import * as Cache from "./Cache.ts"
import { seriesKey } from "./seriesKey.ts"
import * as SharedLoads from "./SharedLoads.ts"
import { all, type From, gather, loadBatch, type Name, type Shelf, type StoreFailure, type There } from "./Shelf.ts"

/** Where a chunk is: its window and its id. */
export interface ChunkName {
  readonly windowStart: number
  readonly id: string
}

/** What is in memory of a chunk. */
export interface StoredChunk {
  readonly frame: Frame
  /** What quality rules found; absent where they found nothing. */
  readonly findings?: Findings
}

/** How the store is read. */
export interface Reading {
  /** Whether very many are gone through: what others have in memory stays there. False unless told otherwise. */
  readonly once?: boolean
}

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
    readonly pages: (
      series: Series,
      ids: ReadonlyArray<string>,
      how?: Reading
    ) => Effect.Effect<ReadonlyArray<CoveragePage>, StoreFailure>
    /** By chunk id. */
    readonly chunks: (
      series: Series,
      names: ReadonlyArray<ChunkName>,
      how?: Reading
    ) => Effect.Effect<There<StoredChunk>, StoreFailure>
    /** The pages that can be had. */
    readonly pagesThere: (series: Series, ids: ReadonlyArray<string>, from: From) => Effect.Effect<There<CoveragePage>>
    /** The chunks that can be had: one that can't keeps nobody from the others. */
    readonly chunksThere: (
      series: Series,
      names: ReadonlyArray<ChunkName>,
      from: From
    ) => Effect.Effect<There<StoredChunk>>
    /** What is in memory under an id; undefined where it would have to be read. */
    readonly inMemory: {
      readonly chunk: (id: string) => StoredChunk | undefined
      readonly page: (id: string) => CoveragePage | undefined
      /** How many bytes of memory a chunk takes here. Nothing changes by it. */
      readonly chunkBytes: (id: string) => number | undefined
    }
  }
>()("seamless/sources/ChunkStore") {}

// decoded rows are views of the bytes they came in; a page's entries take about three times their JSON
const decodedPageFactor = 3
const pageCacheShare = 8

const decodePage = Schema.decodeUnknownOption(CoveragePage)
const encodePage = Schema.encodeSync(CoveragePage)

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

const makeShelves = (cacheBytes: number) => {
  const frames = Cache.make<StoredChunk>(cacheBytes)
  const knownPages = Cache.make<CoveragePage>(cacheBytes / pageCacheShare)
  const chunkShelf: Shelf<StoredChunk> = {
    stream: Stream.chunks.name,
    decode: (bytes) =>
      Option.map(Chunk.decode(bytes), ({ frame, header }) => ({ frame, ...asField(Chunk.findingsOf(header)) })),
    get: frames.get,
    keep: frames.put
  }
  const pageShelf: Shelf<CoveragePage> = {
    stream: Stream.pages.name,
    decode: (bytes) => Option.flatMap(Codec.fromJson(bytes), decodePage),
    get: knownPages.get,
    keep: (id, page, bytes) => knownPages.put(id, page, bytes * decodedPageFactor)
  }
  return { chunkShelf, pageShelf, chunkBytes: frames.bytesOf }
}

/** How something is found. */
interface Search extends Reading {
  readonly from?: From
}

/** How what is on a shelf is found: in memory, or read apart from who wants it and kept; or once, for one alone. */
const makeFinder = Effect.fnUntraced(function* <A>(mesh: Mesh["Service"], shelf: Shelf<A>) {
  const shared = SharedLoads.make((names: ReadonlyArray<Name>) => loadBatch(mesh, shelf, names))
  yield* mesh.onReconnect(shared.forget)
  const own = (names: ReadonlyArray<Name>) => loadBatch(mesh, { ...shelf, keep: () => undefined }, names)
  return (names: ReadonlyArray<Name>, { from = "anywhere", once = false }: Search = {}) =>
    gather(shelf.get, once ? own : shared.load, names, from)
})

const make = Effect.fnUntraced(function* (cacheBytes: number) {
  const mesh = yield* Mesh
  const { chunkBytes, chunkShelf, pageShelf } = makeShelves(cacheBytes)
  const [findChunks, findPages] = [yield* makeFinder(mesh, chunkShelf), yield* makeFinder(mesh, pageShelf)]

  const chunksIn = Effect.fn(Span.dataSourceRead)(function* (
    series: Series,
    names: ReadonlyArray<ChunkName>,
    how?: Search
  ) {
    yield* Effect.annotateCurrentSpan({
      [Attribute.source]: "storage",
      [Attribute.nodeId]: series.nodeId,
      [Attribute.interval]: series.interval
    })
    const key = seriesKey(series)
    return yield* findChunks(
      names.map(({ id, windowStart }) => ({ id, key: Subject.chunk(key, windowStart, id) })),
      how
    )
  })

  const pagesIn = (series: Series, ids: ReadonlyArray<string>, how?: Search) =>
    findPages(
      ids.map((id) => ({ id, key: Subject.page(seriesKey(series), id) })),
      how
    )

  return ChunkStore.of({
    chunks: (series, names, how) => all(chunksIn(series, names, how)),
    chunksThere: (series, names, from) => chunksIn(series, names, { from }),
    pages: (series, ids, how) =>
      Effect.map(all(pagesIn(series, ids, how)), ({ values }) => ids.map((id) => values.get(id)!)),
    pagesThere: (series, ids, from) => pagesIn(series, ids, { from }),
    inMemory: { chunk: chunkShelf.get, page: pageShelf.get, chunkBytes },
    putChunk: (series, windowStart, { bytes, ref }) =>
      put(mesh, Subject.chunk(seriesKey(series), windowStart, ref.id), bytes),
    putPage: Effect.fnUntraced(function* (series: Series, page: CoveragePage) {
      const bytes = Codec.toJson(encodePage(page))
      const id = sha256(bytes)
      yield* put(mesh, Subject.page(seriesKey(series), id), bytes)
      pageShelf.keep(id, page, bytes.length)
      return id
    })
  })
})

/** A store on JetStream that keeps up to `cacheBytes` of what it read in memory. */
export const layer = (cacheBytes: number): Layer.Layer<ChunkStore, never, Mesh> =>
  Layer.effect(ChunkStore, make(cacheBytes))
