/** What does the simulated server make of a question? */

/** Its answer; silence where whoever asked has to end the wait by itself. */
export type Answer<A> =
  | { readonly _tag: "Done"; readonly value: A }
  | { readonly _tag: "Conflict" }
  | { readonly _tag: "Refused"; readonly reason: string }
  | { readonly _tag: "Silence" }

/** It was done, and this came of it. */
export const done = <A>(value: A): Answer<A> => ({ _tag: "Done", value })

/** It was not done, for this reason. */
export const refused = (reason: string): Answer<never> => ({ _tag: "Refused", reason })

/** The revision was another one than expected. */
export const conflict: Answer<never> = { _tag: "Conflict" }

/** Nobody says anything. */
export const silence: Answer<never> = { _tag: "Silence" }

/** What a client says of a subject for which no server answers. */
export const nobody: Answer<never> = refused("JetStreamNotEnabled: jetstream is not enabled")
