/** How does a command ask the cluster? */
import { Effect, Result } from "effect"
import { connect } from "../client/connect.ts"
import type { SeamlessClient } from "../client/SeamlessClient.ts"
import { SeamlessError } from "../client/SeamlessError.ts"
import type { Foreseen } from "./describeFailure.ts"
import { type Address, type AddressFlags, findAddress, NobodyAnswers } from "./findAddress.ts"

/** The client rejects with its one error; anything else is a fault of ours, and stays a rejection. */
const refusal = (cause: unknown) =>
  cause instanceof SeamlessError ? Result.fail(cause) : Promise.reject<Result.Result<never, SeamlessError>>(cause)

const asked = <A>(question: () => Promise<A>): Effect.Effect<A, SeamlessError> =>
  Effect.flatMap(
    Effect.promise(() => question().then(Result.succeed<A>, refusal)),
    Effect.fromResult
  )

const nobody = ({ from, servers }: Address, reason: string) => new NobodyAnswers({ servers, from, reason })

const open = (address: Address) =>
  asked(() => connect({ servers: address.servers, name: "seamless command" })).pipe(
    Effect.mapError(({ message }) => nobody(address, message))
  )

/** Asks one question of the cluster that the flags, the environment or the data folder name. */
export const withClient = <A>(
  flags: AddressFlags,
  question: (client: SeamlessClient) => Promise<A>
): Effect.Effect<A, Foreseen> =>
  Effect.gen(function* () {
    const address = yield* findAddress(flags)
    return yield* Effect.acquireUseRelease(
      open(address),
      (client) => asked(() => question(client)),
      (client) => Effect.promise(() => client.close())
    ).pipe(
      Effect.mapError((error) =>
        error instanceof SeamlessError && error.tag === "NoHostAnswers" ? nobody(address, error.message) : error
      )
    )
  })
