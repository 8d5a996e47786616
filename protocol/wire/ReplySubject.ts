/**
 * Where may an answer go?
 *
 * An answer is published by the host that gives it, with the host's rights. Whoever names a subject of the servers' or
 * of this protocol as the one to answer on would have a host write records, acknowledge work or speak to its actors.
 */
import { root } from "./Subject.ts"

/** Of the subjects of this protocol, of any version. */
const own = root.slice(0, root.indexOf(".") + 1)

/** Whether a question with this reply subject is answered; one without is, as its answer goes nowhere. */
export const mayAnswer = (replyTo: string): boolean => !replyTo.startsWith("$") && !replyTo.startsWith(own)
