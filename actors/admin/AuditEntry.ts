/**
 * What does an entry of the audit stream say?
 *
 * Each is a root as it was committed, in the bytes by whose hash the next one names it. Of what it says only that is
 * read which its history is about: a later build may have more in it.
 */
import { Option, Schema } from "effect"
import { sha256 } from "../../protocol/frame/contentHash.ts"
import { CoverageRoot, rootHash } from "../../protocol/history/CoverageRoot.ts"
import type { RangeSet } from "../../protocol/history/RangeSet.ts"
import * as Codec from "../../protocol/wire/Codec.ts"
import type { Stored } from "../../runtime/Mesh.ts"
import { audited, type AuditedRoot } from "../../protocol/messages/LoggedRoot.ts"

/** An entry, and the root in it; none where it holds none that can be read. */
export interface AuditEntry {
  /** Its sequence in the stream; null for a root that stands and is not there yet. */
  readonly sequence: number | null
  readonly bytes: Uint8Array
  readonly root: Option.Option<AuditedRoot>
}

const decodeCovered = Schema.decodeUnknownOption(CoverageRoot.fields.covered)
const encodeCovered = Schema.encodeSync(CoverageRoot.fields.covered)
const decodeWhole = Schema.decodeUnknownOption(CoverageRoot)
const encodeWhole = Schema.encodeSync(CoverageRoot)
const none = new Uint8Array(0)

/** The coverage that a root claims; none where it can't be read. */
export const claimedBy: (root: Pick<AuditedRoot, "covered">) => Option.Option<RangeSet> = ({ covered }) =>
  decodeCovered(covered)

/** The entry in a message of the stream. */
export const fromStored = (stored: Stored): AuditEntry => ({
  sequence: stored.revision,
  bytes: Option.getOrElse(stored.value, () => none),
  root: audited(stored)
})

/** The entry that a root makes which stands, and may not be in the stream yet. */
export const fromRoot = (root: CoverageRoot): AuditEntry => ({
  sequence: null,
  bytes: Codec.toJson(encodeWhole(root)),
  root: Option.some({ ...root, covered: encodeCovered(root.covered) })
})

/** Whether a hash is the entry's: of its bytes, or of what this build reads of them. */
export const isNamedBy = ({ bytes }: Pick<AuditEntry, "bytes">, hash: string): boolean =>
  sha256(bytes) === hash ||
  Option.exists(Option.flatMap(Codec.fromJson(bytes), decodeWhole), (root) => rootHash(root) === hash)
