/** Where is the cluster that a command should ask? */
import { Data, Effect, Option } from "effect"
import * as EmbeddedServer from "../runtime/nats/EmbeddedServer.ts"

/** What the command line says of it. */
export interface AddressFlags {
  readonly nats: Option.Option<string>
  readonly dataDir: string
}

/** An address, and who named it. */
export interface Address {
  readonly servers: string
  readonly from: string
}

/** Nothing names an address. */
class NoAddress extends Data.TaggedError("NoAddress")<{ readonly dataDir: string }> {
  override get message() {
    return (
      `no address of a NATS server: the data folder ${this.dataDir} has no member running. Give --nats URL, set ` +
      `SEAMLESS_NATS, name by --data-dir the folder of a running member, or start one: seamless up --config FILE`
    )
  }
}

/** Nobody is at the address. */
export class NobodyAnswers extends Data.TaggedError("NobodyAnswers")<Address & { readonly reason: string }> {
  override get message() {
    return (
      `${this.reason}. The address is from ${this.from}; another is given by --nats URL, SEAMLESS_NATS, or ` +
      `--data-dir with the folder of a running member; a member is started by: seamless up --config FILE`
    )
  }
}

/** The address by flag, else by environment, else as a member on this machine wrote it into its data folder. */
export const findAddress = Effect.fnUntraced(function* ({ dataDir, nats }: AddressFlags) {
  if (Option.isSome(nats)) return { servers: nats.value, from: "--nats" } satisfies Address
  const set = process.env["SEAMLESS_NATS"] ?? ""
  if (set !== "") return { servers: set, from: "SEAMLESS_NATS" } satisfies Address
  const written = yield* EmbeddedServer.readAddress(dataDir)
  if (Option.isNone(written)) return yield* new NoAddress({ dataDir })
  return { servers: written.value, from: `the data folder ${dataDir}` } satisfies Address
})
