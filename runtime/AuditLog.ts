/**
 * How is it kept what changed, so that nothing is missing and nothing twice?
 *
 * A log is one subject of a stream. Appending is a compare-and-set on the subject's last sequence, and entries are
 * numbered: two writers can't both append, and a number that is there already is not appended again.
 */
import { Effect, Option, Schema } from "effect"
import type { Wire } from "../protocol/wire/ActorMessage.ts"
import * as Codec from "../protocol/wire/Codec.ts"
import type { MeshUnavailable } from "../protocol/wire/Errors.ts"
import { Fenced } from "../protocol/wire/Errors.ts"
import { revisionOf } from "./compareAndSet.ts"
import { Mesh, type Stored } from "./Mesh.ts"

const Numbered = Schema.Struct({ version: Schema.Int })
const decodeNumber = Schema.decodeUnknownOption(Numbered)

/** A log that this writer appends to. */
export interface AuditLog {
  /** The entry that was the last when it was opened; none where the log was empty. */
  readonly found: Option.Option<Uint8Array>
  /** The number of the last entry, or 0. */
  readonly version: () => number
  /**
   * Appends the entry unless its number is there; gives whether it was not. Fails with `Fenced` where another has
   * appended meanwhile.
   */
  readonly append: <A>(version: number, form: Wire<A>, entry: A) => Effect.Effect<boolean, Fenced | MeshUnavailable>
}

const lastVersion = (stored: Option.Option<Stored>): number =>
  stored.pipe(
    Option.flatMap(({ value }) => value),
    Option.flatMap(Codec.fromJson),
    Option.flatMap(decodeNumber),
    Option.match({ onNone: () => 0, onSome: ({ version }) => version })
  )

/** The log of a subject, from where it stands. */
export const open = Effect.fnUntraced(function* (subject: string, stream: string) {
  const mesh = yield* Mesh
  const stored = yield* mesh.read(stream, subject)
  let last = { version: lastVersion(stored), revision: revisionOf(stored) }

  const append: AuditLog["append"] = (version, form, entry) =>
    Effect.gen(function* () {
      if (version <= last.version) return false
      const bytes = Codec.toJson(yield* Effect.orDie(Schema.encodeUnknownEffect(form)(entry)))
      const written = yield* Effect.result(mesh.write(subject, bytes, { expect: last.revision }))
      if (written._tag === "Success") {
        last = { version, revision: written.success }
        return true
      }
      // an earlier try may have come through without its answer, or what was read at first was old
      const standing = yield* mesh.read(stream, subject)
      if (lastVersion(standing) !== version) {
        return yield* written.failure._tag === "MeshUnavailable"
          ? written.failure
          : new Fenced({ key: subject, epoch: version })
      }
      last = { version, revision: revisionOf(standing) }
      return false
    })
  const found = Option.flatMap(stored, ({ value }) => value)
  return { found, version: () => last.version, append } satisfies AuditLog
})
