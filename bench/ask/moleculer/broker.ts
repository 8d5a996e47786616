/** What do host and client of moleculer have in common? */
import process from "node:process"
import { ServiceBroker } from "moleculer"

/** The parameter by which a message finds its actor's host. */
export interface Addressed {
  readonly key: string
}

/** The action's full name. */
export const actionName = "counter.count"

/** A broker that sends all messages of one key to the same host. */
export const makeBroker = (role: string, natsUrl: string): ServiceBroker =>
  new ServiceBroker({
    nodeID: `${role}-${process.pid}`,
    transporter: { type: "NATS", options: { url: natsUrl } },
    logger: false,
    registry: { strategy: "Shard", strategyOptions: { shardKey: "key" } },
    skipProcessEventRegistration: true
  })
