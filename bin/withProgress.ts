/** How does a command ask for a range, and show meanwhile how it fills up? */
import { Effect } from "effect"
import type { Foreseen } from "./describeFailure.ts"
import type { AddressFlags } from "./findAddress.ts"
import { followCoverage, type FollowedRange } from "./followCoverage.ts"
import * as ProgressDisplay from "./ProgressDisplay.ts"
import { checkAsked } from "./rangeFlags.ts"
import { type ClientQuestion, withClient, withClientMeanwhile } from "./withClient.ts"

/** What the command line says. */
type Asked = FollowedRange & ProgressDisplay.ProgressChoice & AddressFlags

/** Asks one question of the cluster; whatever ends the wait takes the progress away. */
export const withProgress = <A>(asked: Asked, question: ClientQuestion<A>): Effect.Effect<A, Foreseen> => {
  const display = ProgressDisplay.make(asked)
  const answer =
    // nobody would see it: the cluster is not asked for it
    display.mode === "hidden"
      ? withClient(asked, question)
      : withClientMeanwhile(asked, question, (client) => followCoverage(client, asked, display)).pipe(
          Effect.ensuring(display.clear)
        )
  return Effect.andThen(checkAsked(asked), answer)
}
