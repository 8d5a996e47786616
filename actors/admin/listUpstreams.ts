/** How do the upstream accounts stand: what may be sent, who waits, and which sources are left alone? */
import { Effect } from "effect"
import type { Standings, Upstream } from "../../protocol/messages/Upstream.ts"

/** Every configured account, by name; and those whose actors did not answer. */
export const listUpstreams = ({ standings }: Upstream["Service"]): Effect.Effect<Standings> =>
  Effect.map(standings, ({ accounts, silent }) => ({
    accounts: accounts.toSorted((a, b) => (a.account < b.account ? -1 : 1)),
    silent: silent.toSorted()
  }))
