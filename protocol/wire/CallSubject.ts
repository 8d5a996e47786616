/** What is said of a call that is under way, and where? */
import { root } from "./Subject.ts"
import * as Token from "./Token.ts"

/** Where a call is called off, by what it named itself; `*` for all of them. */
export const cancel = (call: string): string => `${root}.cancel.${call === "*" ? call : Token.encode(call)}`

/** Where a host hears how many more parts of an answer its reader takes; `*` for all of its answers. */
export const flow = (host: string, answer: string): string => `${root}.flow.${host}.${answer}`
