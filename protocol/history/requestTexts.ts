/** How long are the texts of a request at most? What is longer would be carried, logged and looked up for nothing. */
import { Schema } from "effect"

const charactersMax = 256
const sourcesMax = 64

const shortText = Schema.String.check(
  Schema.makeFilter(
    ({ length }: string) => length <= charactersMax || `has ${length} characters; at most ${charactersMax} are taken`
  )
)

/** Names a stream of bars; a node that is known has no longer name. */
export const NodeId = shortText

/** What a caller calls its request. */
export const RequestId = shortText

/** Sources by name, the preferred first. */
export const SourcePriority = Schema.Array(shortText).check(
  Schema.makeFilter(
    ({ length }: ReadonlyArray<string>) =>
      length <= sourcesMax || `has ${length} names of sources; at most ${sourcesMax} are taken`
  )
)
