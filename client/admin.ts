/**
 * How does an operator ask a cluster?
 *
 * Each under a token of their own, which is part of the subject: what the servers let a user publish on is what that
 * user may ask for. It is for the command line; programs have no need of it.
 */
import { Effect, Exit, Scope } from "effect"
import { type AdminVerb, adminVerbs } from "../protocol/messages/Admin.ts"
import { MediaType } from "../protocol/wire/Header.ts"
import * as ActorSubject from "../protocol/wire/ActorSubject.ts"
import { type ConnectOptions, openSession } from "./connect.ts"
import type { SeamlessError } from "./SeamlessError.ts"
import { ask, decoder } from "./Session.ts"

/** What a verb takes. */
export type AdminRequest<V extends AdminVerb> = (typeof adminVerbs)[V]["request"]["Type"]

/** What a verb answers. */
export type AdminAnswer<V extends AdminVerb> = (typeof adminVerbs)[V]["answer"]["Type"]

/** An operator's connection. */
export interface AdminClient {
  /** Asks one thing; rejects with a `SeamlessError`. */
  readonly ask: <V extends AdminVerb>(verb: V, request: AdminRequest<V>) => Promise<AdminAnswer<V>>
  readonly close: () => Promise<void>
}

// a host bounds what it does for an operator: a drain may take 15 s, so the wait is beyond that
const budgetMs = 18_000

const what = "the answer"

const decoders: { readonly [V in AdminVerb]: (data: Uint8Array) => Effect.Effect<AdminAnswer<V>, SeamlessError> } = {
  hosts: decoder(adminVerbs.hosts.answer, what),
  slots: decoder(adminVerbs.slots.answer, what),
  actors: decoder(adminVerbs.actors.answer, what),
  drain: decoder(adminVerbs.drain.answer, what),
  release: decoder(adminVerbs.release.answer, what),
  letters: decoder(adminVerbs.letters.answer, what),
  replay: decoder(adminVerbs.replay.answer, what),
  audit: decoder(adminVerbs.audit.answer, what),
  upstreams: decoder(adminVerbs.upstreams.answer, what),
  jobs: decoder(adminVerbs.jobs.answer, what),
  job: decoder(adminVerbs.job.answer, what),
  retry: decoder(adminVerbs.retry.answer, what),
  skip: decoder(adminVerbs.skip.answer, what),
  cancel: decoder(adminVerbs.cancel.answer, what),
  quarantine: decoder(adminVerbs.quarantine.answer, what),
  invalidate: decoder(adminVerbs.invalidate.answer, what),
  reprocess: decoder(adminVerbs.reprocess.answer, what),
  verify: decoder(adminVerbs.verify.answer, what),
  repair: decoder(adminVerbs.repair.answer, what),
  plan: decoder(adminVerbs.plan.answer, what),
  createBackfill: decoder(adminVerbs.createBackfill.answer, what),
  backfills: decoder(adminVerbs.backfills.answer, what),
  backfill: decoder(adminVerbs.backfill.answer, what),
  pauseBackfill: decoder(adminVerbs.pauseBackfill.answer, what),
  resumeBackfill: decoder(adminVerbs.resumeBackfill.answer, what),
  cancelBackfill: decoder(adminVerbs.cancelBackfill.answer, what),
  sweep: decoder(adminVerbs.sweep.answer, what),
  sweeping: decoder(adminVerbs.sweeping.answer, what),
  switches: decoder(adminVerbs.switches.answer, what),
  turnSwitch: decoder(adminVerbs.turnSwitch.answer, what)
}

/** A connection as the operator of that token. */
export const connectAdmin = async (options: ConnectOptions & { readonly who: string }): Promise<AdminClient> => {
  const { scope, session } = await Effect.runPromise(openSession(options))
  const asking = Effect.fnUntraced(function* <V extends AdminVerb>(verb: V, body: AdminRequest<V>) {
    const subject = ActorSubject.admin(options.who, verb)
    const { data } = yield* ask(session, { subject, body, accept: MediaType.json, budgetMs })
    return yield* decoders[verb](data)
  })
  return {
    ask: (verb, request) => Effect.runPromise(asking(verb, request)),
    close: () => Effect.runPromise(Scope.close(scope, Exit.void))
  }
}
