/** How fast is a service of moleculer over NATS? It has no mailbox and no actors, so it counts by key. */
import type { Context } from "moleculer"
import { hostIsReady, startedWith } from "../child.ts"
import type { Answer, Question } from "../Load.ts"
import { type Addressed, makeBroker } from "./broker.ts"

const counts = new Map<string, number>()

const broker = makeBroker("host", startedWith().natsUrl)

broker.createService({
  name: "counter",
  actions: {
    count: ({ params }: Context<Addressed & Question>): Answer => {
      const count = (counts.get(params.key) ?? 0) + 1
      counts.set(params.key, count)
      return { count, bytes: params.text.length }
    }
  }
})

await broker.start()
hostIsReady()
