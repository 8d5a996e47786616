/**
 * Did the write take effect?
 *
 * A write that is refused or not answered may have come through: an acknowledgement can get lost. The very same
 * compare-and-set is sent again, which can take effect once at most, and what stands there tells whose write it is.
 */
import { Effect, Option } from "effect"
import { MeshUnavailable } from "../protocol/wire/Errors.ts"
import * as Invariants from "./Invariants.ts"
import { type Mesh, RevisionConflict, type Stored } from "./Mesh.ts"

/** One change of a record. */
export interface Change {
  readonly stream: string
  readonly subject: string
  readonly data: Uint8Array
  /** The revision that it replaces; 0 for none. */
  readonly expect: number
  readonly ttlSeconds?: number
  /** Whether records end by themselves there: where nothing stands any more, what was replaced has had its time. */
  readonly canExpire?: boolean
  /** Whether what stands there was written by this change: by its nonce. */
  readonly isOurs: (standing: Stored) => boolean
}

// a crash of a stream's leader stops writes for up to 9 s: 50 tries 250 ms apart outlast it
const tries = 50
const pause = "250 millis"
// one answer may come from a leader that is none any more
const sightingsMin = 4

/** The record's revision, or 0. */
export const revisionOf: (stored: Option.Option<Stored>) => number = Option.match({
  onNone: () => 0,
  onSome: ({ revision }) => revision
})

/**
 * Writes until it is known what became of it; gives the new revision. `RevisionConflict` means that what was to be
 * replaced does not stand there any more: someone else's write does, or, where less stands there again and again than
 * was acknowledged before, storage was rolled back. `MeshUnavailable` means that nobody could say.
 */
export const compareAndSet = Effect.fnUntraced(function* (mesh: Mesh["Service"], change: Change) {
  const { data, expect, isOurs, stream, subject } = change
  const ttl = change.ttlSeconds === undefined ? {} : { ttlSeconds: change.ttlSeconds }
  let sightings = 0
  for (let attempt = 0; attempt < tries; attempt++) {
    const written = yield* Effect.result(mesh.write(subject, data, { expect, ...ttl }))
    if (written._tag === "Success") {
      const revision = written.success
      yield* Invariants.check("revisionGrows", revision > expect, () => ({ subject, revision, replaced: expect }))
      return revision
    }
    const standing = yield* Effect.option(mesh.read(stream, subject))
    if (Option.isSome(standing)) {
      if (Option.isSome(standing.value) && isOurs(standing.value.value)) return standing.value.value.revision
      const revision = revisionOf(standing.value)
      if (revision > expect) return yield* new RevisionConflict({ subject })
      const isLess = written.failure._tag === "RevisionConflict" && revision < expect
      sightings = isLess ? sightings + 1 : 0
      if (sightings === sightingsMin) {
        const hasEnded = change.canExpire === true && revision === 0
        yield* Invariants.check("storageKept", hasEnded, () => ({
          alarm: "StorageRolledBack",
          subject,
          acknowledged: expect,
          found: revision
        }))
        // what was to be replaced is gone, and comes back no more
        return yield* new RevisionConflict({ subject })
      }
    }
    yield* Effect.sleep(pause)
  }
  return yield* new MeshUnavailable({ operation: `write ${subject}`, reason: "no answer: the outcome is unknown" })
})
