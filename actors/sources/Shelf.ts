/**
 * What can be had of values that are named by the hash of their bytes?
 *
 * What is in memory, and the rest from the store, each by itself: one that can't be had keeps nobody from the others.
 */
import { Effect, Option, Result } from "effect"
import { sha256 } from "../../protocol/frame/contentHash.ts"
import { StoreDamaged } from "../../protocol/history/Errors.ts"
import type { MeshUnavailable } from "../../protocol/wire/Errors.ts"
import type { Mesh } from "../../runtime/Mesh.ts"
import type { Load } from "./SharedLoads.ts"

/** Why stored bytes could not be had. */
export type StoreFailure = MeshUnavailable | StoreDamaged

/** Where what is stored is taken from: `memory` alone waits for nothing. */
export type From = "anywhere" | "memory"

/** What could be had of what was wanted, by id, and why the rest could not, where that is known. */
export interface There<A> {
  readonly values: ReadonlyMap<string, A>
  readonly failure: StoreFailure | undefined
  readonly fromCache: number
  readonly fromStorage: number
}

// a batch read ends at 8 MB: 64 chunks of a day of 1-minute bars with room to spare
const chunksPerRead = 64
const readConcurrency = 4

const damaged = (key: string, problem: string) => new StoreDamaged({ key, problem })

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

/** Values that are named by the hash of their bytes: where they are, what they become, and which are in memory. */
export interface Shelf<A> {
  readonly stream: string
  readonly decode: (bytes: Uint8Array) => Option.Option<A>
  readonly get: (id: string) => A | undefined
  readonly keep: (id: string, value: A, bytes: number) => void
}

/** The id of a value, and the subject that its bytes are under. */
export interface Name {
  readonly key: string
  readonly id: string
}

/** The value in bytes that must hash to their name, which is kept; without bytes there is none. */
const valueOf = <A>(
  { decode, keep }: Shelf<A>,
  { id, key }: Name,
  given: Option.Option<Uint8Array>
): Result.Result<A, StoreDamaged> => {
  if (Option.isNone(given)) return Result.fail(damaged(key, "is named but not there"))
  const { value: bytes } = given
  if (sha256(bytes) !== id) return Result.fail(damaged(key, "is not what it was: its hash differs from its name"))
  const decoded = decode(bytes)
  if (Option.isNone(decoded)) return Result.fail(damaged(key, "can't be read"))
  keep(id, decoded.value, bytes.length)
  return Result.succeed(decoded.value)
}

/** What came of a name: its value, or why there is none. */
interface Loaded<A> {
  readonly id: string
  readonly result: Result.Result<A, StoreFailure>
}

/** The values of some names, each by itself: what a batch does not give is asked of the leader before it is lost. */
export const loadBatch = Effect.fnUntraced(function* <A>(
  mesh: Mesh["Service"],
  shelf: Shelf<A>,
  names: ReadonlyArray<Name>
): Effect.fn.Return<ReadonlyArray<Loaded<A>>, MeshUnavailable> {
  const { stream } = shelf
  const keys = names.map(({ key }) => key)
  const found = new Map((yield* mesh.readMany(stream, keys)).map((stored) => [stored.subject, stored.value]))
  // those that are there first: what has to be asked for again takes its time
  const there = names.filter(({ key }) => found.has(key))
  const given = there.map((name) => ({ id: name.id, result: valueOf(shelf, name, found.get(name.key)!) }))
  const absent = names.filter(({ key }) => !found.has(key))
  const asked = yield* Effect.forEach(
    absent,
    (name) =>
      Effect.result(readLeader(mesh, stream, name.key)).pipe(
        Effect.map(Result.flatMap((value) => valueOf(shelf, name, value))),
        Effect.map((result) => ({ id: name.id, result }))
      ),
    { concurrency: readConcurrency }
  )
  return [...given, ...asked]
})

/** What can be had of these names; what has come is kept, also when the wait for the rest ends. */
export const gather = Effect.fnUntraced(function* <A>(
  get: Shelf<A>["get"],
  load: Load<Name, Loaded<A>, StoreFailure>,
  names: ReadonlyArray<Name>,
  from: From
) {
  const values = new Map<string, A>()
  for (const { id } of names) {
    const kept = get(id)
    if (kept !== undefined) values.set(id, kept)
  }
  const fromCache = values.size
  const absent = names.filter(({ id }) => !values.has(id))
  const wanted = new Set(absent.map(({ id }) => id))
  let failure: StoreFailure | undefined
  if (from === "anywhere") {
    yield* Effect.forEach(
      inBatches(absent, chunksPerRead),
      (batch) =>
        Effect.match(load(batch), {
          onFailure: (error) => void (failure ??= error),
          onSuccess: (loaded) => {
            // others' too, where these were on their way with them
            for (const { id, result } of loaded.filter((each) => wanted.has(each.id))) {
              if (Result.isSuccess(result)) values.set(id, result.success)
              else failure ??= result.failure
            }
          }
        }),
      { concurrency: readConcurrency, discard: true }
    )
  }
  // what came of one question is there, whatever became of another that it was waited for with
  for (const id of failure === undefined ? [] : wanted) {
    const kept = values.has(id) ? undefined : get(id)
    if (kept !== undefined) values.set(id, kept)
  }
  const isAll = fromCache + wanted.size === values.size
  return {
    values,
    failure: isAll ? undefined : failure,
    fromCache,
    fromStorage: values.size - fromCache
  } satisfies There<A>
})

/** All that was wanted, or why it can't be had. */
export const all = <A>(there: Effect.Effect<There<A>>): Effect.Effect<There<A>, StoreFailure> =>
  Effect.flatMap(there, (found) => (found.failure === undefined ? Effect.succeed(found) : Effect.fail(found.failure)))
