/** About how many bytes does a stored chunk have? */
import type { DataSchema } from "../../protocol/frame/DataSchema.ts"
import type { ChunkRef } from "../../protocol/history/CoveragePage.ts"

/** What a chunk has beside its rows: the schema of Arrow, the header, and one run of lineage. */
const frameBytes = 1300
/** A time or a number of a row, and its flags. */
const valueBytes = 8
const flagsBytes = 4

/** Bytes that rows of a schema take, whose categories are short: to tell a megabyte from ten. */
export const chunkBytes = ({ rows }: Pick<ChunkRef, "rows">, { fields }: Pick<DataSchema, "fields">): number =>
  frameBytes + rows * ((1 + fields.length) * valueBytes + flagsBytes)
