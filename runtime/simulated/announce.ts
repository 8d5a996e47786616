/** What does a stream say on core NATS of a message that it has accepted? */
import type { StreamSpec } from "../../protocol/wire/StreamSpec.ts"
import type { Headers } from "../Mesh.ts"
import { type HeaderList, writeHeaders } from "./Payload.ts"
import type { Accepted } from "./Records.ts"
import type { Packet } from "./Subscriptions.ts"

const markerHeaders: HeaderList = [
  ["Nats-Marker-Reason", "MaxAge"],
  ["Nats-TTL", "1m0s"],
  ["Nats-Rollup", "sub"]
]

const headersOf = (spec: StreamSpec, accepted: Accepted, isBodiless: boolean): Headers => {
  const { options, previous, version } = accepted
  const headers = new Map(version.form === "marker" ? markerHeaders : writeHeaders(options))
  headers.set("Nats-Stream", spec.name)
  headers.set("Nats-Subject", version.subject)
  headers.set("Nats-Sequence", String(version.revision))
  headers.set("Nats-Time-Stamp", new Date(version.sinceMs).toISOString())
  headers.set("Nats-Last-Sequence", String(previous))
  if (isBodiless) headers.set("Nats-Msg-Size", String(version.data.length))
  return headers
}

const none = new Uint8Array(0)

/** What makes the announcements of a stream; undefined where it has none. */
export const announcer = (
  spec: StreamSpec,
  publish: (subject: string, make: () => Packet) => void
): ((accepted: Accepted) => void) | undefined => {
  const { announce } = spec
  if (announce === undefined) return undefined
  const from = spec.subjects.length - 1
  const to = announce.to.slice(0, -1)
  return (accepted) => {
    const { data, subject } = accepted.version
    const announced = to + subject.slice(from)
    publish(announced, () => {
      let headers: Headers | undefined
      return {
        subject: announced,
        data: announce.headersOnly ? none : data,
        headers: () => (headers ??= headersOf(spec, accepted, announce.headersOnly)),
        reply: undefined
      }
    })
  }
}
