/** How is the owner of a series asked which version stands? */
import { Schema } from "effect"
import { Series } from "../history/Series.ts"
import { define } from "../wire/ActorMessage.ts"
import { Committed, ensureMessage } from "./Coverage.ts"

/** `confirm` of the coverage actor: it writes its root once more as it is, and so knows that it stood. */
export const confirmMessage = define({
  actor: ensureMessage.actor,
  name: "confirm",
  payload: Schema.Struct({ series: Series }),
  success: Committed,
  failure: Schema.Never
})
