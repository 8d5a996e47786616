/**
 * What does an entry of a log of roots say?
 *
 * Each is a root as it was committed. Most who look for one want to know which it is, or what it changed, and nothing
 * else of what is in it: of that a later build may have more.
 */
import { Option, Result, Schema } from "effect"
import { CoverageRoot, rolledBackBy } from "../history/CoverageRoot.ts"
import { StoreDamaged } from "../history/Errors.ts"
import * as Codec from "../wire/Codec.ts"

/** An entry of a log. */
interface Stored {
  readonly subject: string
  readonly revision: number
  readonly value: Option.Option<Uint8Array>
}

/** Which root it is, without what is in it. */
export const Mark = Schema.Struct({ version: Schema.Int, committedAt: Schema.Finite })
export type Mark = typeof Mark.Type

const AuditedRoot = Schema.Struct({
  format: CoverageRoot.fields.format,
  ...Mark.fields,
  /** As it is in JSON: most who go through a history have no need of it, and it is most of what there is. */
  covered: Schema.Unknown,
  coveredInPagesBefore: CoverageRoot.fields.coveredInPagesBefore,
  previousRootHash: CoverageRoot.fields.previousRootHash,
  diff: CoverageRoot.fields.diff
})

/** What a history is about in a root. */
export type AuditedRoot = typeof AuditedRoot.Type

const decodeMark = Schema.decodeUnknownOption(Schema.Struct({ format: Schema.Literal(1), ...Mark.fields }))
const decodeAudited = Schema.decodeUnknownOption(AuditedRoot)
const decodeRoot = Schema.decodeUnknownOption(CoverageRoot)

/** A root in the log that nobody has read whole yet. */
export interface LoggedRoot extends Mark {
  readonly revision: number
  readonly bytes: Uint8Array
}

/** The root in an entry; none where it is none that this build can read. */
export const fromStored = ({ revision, value }: Stored): Option.Option<LoggedRoot> =>
  Option.flatMap(value, (bytes) =>
    Option.map(Option.flatMap(Codec.fromJson(bytes), decodeMark), ({ committedAt, version }) => ({
      version,
      committedAt,
      revision,
      bytes
    }))
  )

/** What the root in an entry changed, and what it claims; none where it is none that this build can read. */
export const audited = ({ value }: Pick<Stored, "value">): Option.Option<AuditedRoot> =>
  Option.flatMap(Option.flatMap(value, Codec.fromJson), decodeAudited)

/** All of the root. */
export const whole = ({ bytes, version }: LoggedRoot): Result.Result<CoverageRoot, StoreDamaged> =>
  Result.fromOption(
    Option.flatMap(Codec.fromJson(bytes), decodeRoot),
    () => new StoreDamaged({ key: `version ${version}`, problem: "is no coverage root of format 1" })
  )

const isRootLike = Schema.is(Schema.Struct({ pages: Schema.Unknown }))

/** What might be a root of a form that this build does not know; none where it is nothing of the kind. */
const strange = ({ revision, subject, value }: Stored): Option.Option<StoreDamaged> =>
  Option.flatMap(Option.flatMap(value, Codec.fromJson), (json) =>
    isRootLike(json)
      ? Option.some(new StoreDamaged({ key: subject, problem: `revision ${revision} is no root of format 1` }))
      : Option.none()
  )

/** The root in an entry, or that it may be one; nothing of what is none. */
export const orStrange = (stored: Stored): ReadonlyArray<LoggedRoot | StoreDamaged> =>
  Option.toArray(Option.orElse(fromStored(stored), () => strange(stored)))

/** Whether the one follows the other with none in between; where storage was rolled back it is far beyond. */
export const follows = (next: Pick<Mark, "version">, { version }: Pick<Mark, "version">): boolean =>
  next.version === version + 1 || next.version === version + rolledBackBy
