/** How does a command ask the cluster? */
import { Effect, Result } from "effect"
import { type AdminAnswer, type AdminRequest, connectAdmin } from "../client/admin.ts"
import { connect, type ConnectOptions } from "../client/connect.ts"
import type { SeamlessClient } from "../client/SeamlessClient.ts"
import { SeamlessError } from "../client/SeamlessError.ts"
import type { CallOptions } from "../client/toPromise.ts"
import type { AdminVerb } from "../protocol/messages/Admin.ts"
import type { Foreseen } from "./describeFailure.ts"
import { type Address, type AddressFlags, findAddress, NobodyAnswers } from "./findAddress.ts"
import { type OperatorFlags, operatorToken } from "./operator.ts"
import { checkAsked } from "./rangeFlags.ts"

/** The client rejects with its one error; anything else is a fault of ours, and stays a rejection. */
const refusal = (cause: unknown) =>
  cause instanceof SeamlessError ? Result.fail(cause) : Promise.reject<Result.Result<never, SeamlessError>>(cause)

/** What a client promises, with what it rejects with. */
export const asked = <A>(question: () => Promise<A>): Effect.Effect<A, SeamlessError> =>
  Effect.flatMap(
    Effect.promise(() => question().then(Result.succeed<A>, refusal)),
    Effect.fromResult
  )

/** The same with a signal for it; who leaves it waits until the host was told, and only then ends the connection. */
const calling = <A>(question: (options: CallOptions) => Promise<A>): Effect.Effect<A, SeamlessError> =>
  Effect.callback((resume) => {
    const controller = new AbortController()
    const settled = question({ signal: controller.signal })
      .then(Result.succeed<A>, refusal)
      .then(
        (result) => resume(Effect.fromResult(result)),
        (cause: unknown) => resume(Effect.die(cause))
      )
    return Effect.promise(() => {
      controller.abort()
      return settled
    })
  })

const nobody = ({ from, servers }: Address, reason: string) => new NobodyAnswers({ servers, from, reason })

/** What can be closed, however it asks. */
interface Closable {
  readonly close: () => Promise<void>
}

/** Uses a connection to wherever the flags, the environment or the data folder say. */
const withConnection = <C extends Closable, A, E extends Foreseen>(
  flags: AddressFlags,
  open: (options: ConnectOptions) => Promise<C>,
  use: (client: C) => Effect.Effect<A, E>
): Effect.Effect<A, Foreseen> =>
  Effect.gen(function* () {
    const address = yield* findAddress(flags)
    return yield* Effect.acquireUseRelease(
      asked(() => open({ servers: address.servers, name: "seamless command" })).pipe(
        Effect.mapError(({ message }) => nobody(address, message))
      ),
      use,
      (client) => Effect.promise(() => client.close())
    ).pipe(
      Effect.mapError((error) =>
        error instanceof SeamlessError && error.tag === "NoHostAnswers" ? nobody(address, error.message) : error
      )
    )
  })

/** One question to a client; what it is given with it has the host stop where the command is stopped. */
export type ClientQuestion<A> = (client: SeamlessClient, options: CallOptions) => Promise<A>

/** Asks one question of the cluster that the flags, the environment or the data folder name. */
export const withClient = <A>(flags: AddressFlags, question: ClientQuestion<A>): Effect.Effect<A, Foreseen> =>
  withConnection(flags, connect, (client) => calling((options) => question(client, options)))

/** Does something with a client of the same cluster. */
export const withClientDoing = <A, E extends Foreseen>(
  flags: AddressFlags,
  use: (client: SeamlessClient) => Effect.Effect<A, E>
): Effect.Effect<A, Foreseen> => withConnection(flags, connect, use)

/** Asks one question, and does something by the same client until the answer comes. */
export const withClientMeanwhile = <A>(
  flags: AddressFlags,
  question: ClientQuestion<A>,
  meanwhile: (client: SeamlessClient) => Effect.Effect<never>
): Effect.Effect<A, Foreseen> =>
  withConnection(flags, connect, (client) =>
    Effect.raceFirst(
      calling((options) => question(client, options)),
      meanwhile(client)
    )
  )

/** What asks as an operator. */
export type AskAdmin = <V extends AdminVerb>(
  verb: V,
  request: AdminRequest<V>
) => Effect.Effect<AdminAnswer<V>, SeamlessError>

/** Asks several things as an operator, by one connection. */
export const withOperator = <A>(
  flags: OperatorFlags,
  use: (ask: AskAdmin) => Effect.Effect<A, SeamlessError>
): Effect.Effect<A, Foreseen> =>
  withConnection(
    flags,
    (options) => connectAdmin({ ...options, who: operatorToken(flags.operator) }),
    (client) => use((verb, request) => asked(() => client.ask(verb, request)))
  )

/** Asks the same cluster something as an operator. */
export const withAdmin = <V extends AdminVerb>(
  flags: OperatorFlags,
  verb: V,
  request: AdminRequest<V>
): Effect.Effect<AdminAnswer<V>, Foreseen> =>
  Effect.andThen(
    checkAsked(request),
    withOperator(flags, (ask) => ask(verb, request))
  )
