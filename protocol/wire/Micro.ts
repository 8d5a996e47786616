/**
 * How is a host found, and asked what it serves and how much, by who knows NATS alone?
 *
 * As a micro service of NATS: every host answers each of three questions, that are asked of all services, of those of
 * one name, or of one instance.
 */

/** The name of the service, and of the package. */
const serviceName = "seamless"

/** The version of the package that serves. */
export const serviceVersion = "0.1.0"

const description = "Gap-free market history: reads, and what is covered"

/** What can be asked. */
const verbs = { ping: "PING", info: "INFO", stats: "STATS" } as const

/** One of the questions. */
export type MicroVerb = keyof typeof verbs

/** The questions. */
export const microVerbs: ReadonlyArray<MicroVerb> = ["ping", "info", "stats"]

/** Where an instance is asked: as one of all, as one of its name, and by itself. */
export const microSubjects = (verb: MicroVerb, id: string): ReadonlyArray<string> => {
  const ofAll = `$SRV.${verbs[verb]}`
  return [ofAll, `${ofAll}.${serviceName}`, `${ofAll}.${serviceName}.${id}`]
}

/** An instance: a host since it started. */
export interface MicroInstance {
  readonly id: string
  readonly hostId: string
  /** When it began to serve, in ISO 8601. */
  readonly started: string
}

/** What is counted of an endpoint; times in nanoseconds. */
export interface EndpointFigures {
  readonly requests: number
  readonly errors: number
  /** The code and the tag of the last error; empty before there is one. */
  readonly lastError: string
  readonly processingNanos: number
}

/** An endpoint of an instance. */
export interface MicroEndpoint {
  readonly name: string
  readonly subject: string
  readonly queueGroup: string
  readonly figures: EndpointFigures
}

const identity = ({ hostId, id }: MicroInstance, verb: MicroVerb) => ({
  name: serviceName,
  id,
  version: serviceVersion,
  metadata: { hostId },
  type: `io.nats.micro.v1.${verb}_response`
})

const described = ({ name, queueGroup, subject }: MicroEndpoint) => ({ name, subject, queue_group: queueGroup })

const counted = (endpoint: MicroEndpoint) => {
  const { errors, lastError, processingNanos, requests } = endpoint.figures
  return {
    ...described(endpoint),
    num_requests: requests,
    num_errors: errors,
    last_error: lastError,
    processing_time: processingNanos,
    average_processing_time: requests === 0 ? 0 : Math.round(processingNanos / requests)
  }
}

/** The answer of an instance with these endpoints, as the client libraries of NATS read it. */
export const microAnswer = (
  verb: MicroVerb,
  instance: MicroInstance,
  endpoints: ReadonlyArray<MicroEndpoint>
): object => {
  const who = identity(instance, verb)
  switch (verb) {
    case "ping":
      return who
    case "info":
      return {
        ...who,
        description,
        endpoints: endpoints.map((endpoint) => ({ ...described(endpoint), metadata: {} }))
      }
    case "stats":
      return { ...who, started: instance.started, endpoints: endpoints.map(counted) }
  }
}
