/** What is said of a call that is under way, and where? */
import { root } from "./Subject.ts"
import * as Token from "./Token.ts"

/** Where a call is called off, by what it named itself. */
export const cancel = (call: string): string => `${root}.cancel.${Token.encode(call)}`

/** Where any call is called off. */
export const cancels = `${root}.cancel.*`

/** Where a host hears how many more parts of an answer its reader takes; `*` for all of its answers. */
export const flow = (host: string, answer: string): string => `${root}.flow.${host}.${answer}`
