/**
 * What does an operator ask about history, and what is answered?
 *
 * The same subjects and forms as the verbs about hosts: `seamless.v1.admin.<who>.<verb>`, in JSON. Any host answers.
 */
import { admin } from "../wire/Admin.ts"
import { backfillAdmin } from "./BackfillAdmin.ts"

/** The verbs about series, jobs and backfills: the forms of their requests and answers, and a request to show. */
export const historyAdmin = { ...backfillAdmin } as const

/** Every verb there is. */
export const adminVerbs = { ...admin, ...historyAdmin } as const

/** The name of a verb. */
export type AdminVerb = keyof typeof adminVerbs
