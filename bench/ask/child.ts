/**
 * How does a host or client of this bench talk with the program that started it?
 *
 * Over the channel that node gives a forked process. The channel closes with the other side, and then nobody needs this
 * process any more, however the other one ended.
 */
import assert from "node:assert/strict"
import process from "node:process"
import type { Order, Report } from "./Load.ts"
import { checkAnswers, type Lane, takeSample } from "./takeSample.ts"

const tell = (report: Report): void => {
  assert(process.connected, "bench/ask.ts starts this program")
  process.send?.(report)
}

/** What the program was started with: the NATS server's address, then for a client what its host said, and more. */
export const startedWith = (): { readonly natsUrl: string; readonly rest: ReadonlyArray<string> } => {
  const [natsUrl, ...rest] = process.argv.slice(2)
  assert(natsUrl, "bench/ask.ts starts this program")
  return { natsUrl, rest }
}

/** A host says that it can be asked, and at which address, where that isn't the NATS server's. */
export const hostIsReady = (address = ""): void => {
  process.once("disconnect", () => process.exit())
  tell({ ready: address })
}

const fail = (cause: unknown): never => {
  console.error(cause)
  process.exit(1)
}

/** A client takes the samples that it is told to, after a look at the answers. */
export const clientIsReady = async (lane: Lane): Promise<void> => {
  await checkAnswers(lane)
  process.once("disconnect", () => process.exit())
  process.on("message", (order: Order) => {
    takeSample(lane, order).then((sample) => tell({ sample }), fail)
  })
  tell({ ready: "" })
}
