/** How fast is calling a service of moleculer over NATS? */
import { clientIsReady, startedWith } from "../child.ts"
import type { Answer, Question } from "../Load.ts"
import { promiseLane } from "../takeSample.ts"
import { actionName, type Addressed, makeBroker } from "./broker.ts"

const broker = makeBroker("client", startedWith().natsUrl)
await broker.start()
await broker.waitForServices("counter")

const lane = promiseLane((key, { text }) => broker.call<Answer, Addressed & Question>(actionName, { key, text }))

await clientIsReady(lane)
