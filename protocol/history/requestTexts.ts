/** How long are the texts of a request at most? What is longer would be carried, logged and looked up for nothing. */
import { Schema } from "effect"

/** The limits: characters of a short text, bytes of a node id, names of sources. */
export const textLimits = { charactersMax: 256, nodeIdBytesMax: 256, sourcesMax: 64 } as const
const { charactersMax, nodeIdBytesMax, sourcesMax } = textLimits

const textEncoder = new TextEncoder()

const shortText = Schema.String.check(
  Schema.makeFilter(
    ({ length }: string) => length <= charactersMax || `has ${length} characters; at most ${charactersMax} are taken`
  )
)

/** Names a stream of bars: as a token of subjects and keys it is as long as its bytes make it. */
export const NodeId = Schema.String.check(
  Schema.makeFilter((text: string) => {
    const bytes = textEncoder.encode(text).length
    return (bytes > 0 && bytes <= nodeIdBytesMax) || `has ${bytes} bytes of UTF-8; 1 to ${nodeIdBytesMax} are taken`
  })
)

/** What a caller calls its request. */
export const RequestId = shortText

/** Sources by name, the preferred first. */
export const SourcePriority = Schema.Array(shortText).check(
  Schema.makeFilter(
    ({ length }: ReadonlyArray<string>) =>
      length <= sourcesMax || `has ${length} names of sources; at most ${sourcesMax} are taken`
  )
)
