/**
 * Who keeps the budget of an upstream account?
 *
 * One actor an account. What it decides is in Account.ts; here it is put into effect. A permit is given only when a
 * save has proven that this activation still is the account's: so no two ever spend from one budget, whoever was killed
 * or cut off.
 */
import { Clock, Duration, Effect } from "effect"
import * as Messages from "../../protocol/messages/Upstream.ts"
import * as ActorSubject from "../../protocol/wire/ActorSubject.ts"
import { MalformedMessage } from "../../protocol/wire/Errors.ts"
import * as Stream from "../../protocol/wire/Stream.ts"
import type { Activation, ActorType } from "../../runtime/Actor.ts"
import * as ActorState from "../../runtime/ActorState.ts"
import { clockMs } from "../../runtime/Deadline.ts"
import { handler, on } from "../../runtime/handler.ts"
import type { Mesh } from "../../runtime/Mesh.ts"
import * as Account from "./Account.ts"
import type { AccountTerms } from "./AccountTerms.ts"
import * as SavedAccount from "./SavedAccount.ts"
import { standingOf } from "./standingOf.ts"

/** Messages that one save makes true. */
const batchMax = 64
/** Whoever is activated begins with nothing to spend: an account that rests for a while need not. */
const passivateAfter = Duration.hours(1)

const open = ({ address, owner, slot, slotEpoch }: Activation) =>
  ActorState.open({
    bucket: Stream.actors,
    key: ActorSubject.actorKey(address),
    slot,
    slotEpoch,
    owner,
    form: SavedAccount.SavedAccount,
    initial: SavedAccount.nothing
  })

const activateWith = (accounts: ReadonlyMap<string, AccountTerms>) =>
  Effect.fnUntraced(function* (activation: Activation) {
    const { address } = activation
    const terms = accounts.get(address.key)
    if (terms === undefined) {
      return yield* new MalformedMessage({
        what: `key ${address.key}`,
        problem: "no source has an account of that name"
      })
    }
    const state = yield* open(activation)
    const monotonicMs = yield* clockMs
    const clock = yield* Clock.Clock
    const moment = (): SavedAccount.Moment => ({ nowMs: monotonicMs(), wallMs: clock.currentTimeMillisUnsafe() })
    let account = SavedAccount.restore(terms, state.current(), moment())
    let saved = account

    const permit = ({ ticket: id, ...asking }: typeof Messages.permitMessage.payload.Type) =>
      Effect.suspend(() => {
        const [next, verdict] = Account.permit(account, { id, ...asking }, monotonicMs())
        account = next
        return verdict._tag === "CircuitOpen" ? Effect.fail(verdict) : Effect.succeed(verdict)
      })
    const report = (what: Account.Report) =>
      Effect.sync(() => {
        account = Account.report(account, what, monotonicMs())
        return null
      })
    const { handle } = handler(address, [
      on(Messages.permitMessage, permit),
      on(Messages.reportMessage, report),
      on(Messages.standingMessage, () => Effect.sync(() => standingOf(account, moment())))
    ])
    // before anybody is told: who could not save it is not the one to say so
    const keep = Effect.suspend(() => {
      if (!SavedAccount.isDue(saved, account)) return Effect.void
      saved = account
      return state.save(SavedAccount.save(account, moment()))
    })
    return {
      epoch: state.epoch,
      batchMax,
      bytes: state.bytes,
      handle: (batch: Parameters<typeof handle>[0]) => Effect.tap(handle(batch), () => keep)
    }
  })

/** The type of the accounts' actors; their keys are the names of accounts. */
export const accountActor = (accounts: ReadonlyMap<string, AccountTerms>): ActorType<Mesh> => ({
  name: Messages.permitMessage.actor,
  passivateAfter,
  activate: activateWith(accounts)
})
