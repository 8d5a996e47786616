/** Is everything that is built here a subject that NATS takes, found by its filter, and taken apart again? */
import * as Option from "effect/Option"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import * as Stream from "../../../protocol/wire/Stream.ts"
import { keyOf, keySubject } from "../../../protocol/wire/StreamSpec.ts"
import * as ActorSubject from "../../../protocol/wire/ActorSubject.ts"
import * as Subject from "../../../protocol/wire/Subject.ts"
import * as Announcement from "../../../protocol/wire/Announcement.ts"
import * as QueueSubject from "../../../protocol/wire/QueueSubject.ts"
import * as Token from "../../../protocol/wire/Token.ts"
import { law } from "../../support/law.ts"

const nodeId = fc
  .oneof(fc.string({ unit: "binary", minLength: 1 }), fc.constantFrom("a.b.c", "*", ">", " ", "=", ".", "$KV.x"))
  .filter((text) => Token.byteLength(text) <= Token.nodeIdBytesMax)
const interval = fc.constantFrom("1s", "1m", "4h", "1d", "1w")
const windowStart = fc.integer({ min: -10, max: 10 }).map((days) => days * 86_400_000)
const id = fc.stringMatching(/^[0-9a-f]{64}$/)

/** What NATS says of a name in which nothing may match more than itself. */
const isLiteral = (subject: string): boolean => subject.split(".").every((token) => /^[^\s*>.]+$/.test(token))

/** How a server compares a subject with a filter. */
const matches = (filter: string, subject: string): boolean => {
  const tokens = subject.split(".")
  const parts = filter.split(".")
  const open = parts.at(-1) === ">"
  if (open ? tokens.length < parts.length : tokens.length !== parts.length) return false
  return parts.every((part, index) => part === ">" || part === "*" || part === tokens[index])
}

describe("Subject", () => {
  law("parseSeries() gives back what series() took", [nodeId, interval], (nodeId, interval) => {
    const key = Subject.series(nodeId, interval)
    expect(isLiteral(key)).toBe(true)
    expect(Subject.parseSeries(key)).toEqual(Option.some({ nodeId, interval }))
  })
  law("every subject of a series is literal and in its stream", [nodeId, interval, windowStart, id], (...drawn) => {
    const [nodeId, interval, windowStart, id] = drawn
    const series = Subject.series(nodeId, interval)
    const windowKey = Subject.window(series, windowStart)
    const queued = QueueSubject.queuedJob({ jobClass: "bulk", partition: 0, windowKey })
    const all: ReadonlyArray<readonly [string, string]> = [
      [Subject.chunk(series, windowStart, id), Stream.chunks.subjects],
      [Subject.page(series, id), Stream.pages.subjects],
      [Subject.audit(series), Stream.audit.subjects],
      [queued, Stream.queue.subjects],
      [queued, QueueSubject.queuedClass("bulk")],
      [keySubject(Stream.coverage, series), Stream.coverage.subjects],
      [keySubject(Stream.jobs, windowKey), Stream.jobs.subjects]
    ]
    expect(all.filter(([subject, filter]) => !isLiteral(subject) || !matches(filter, subject))).toEqual([])
    expect(matches(QueueSubject.queuedClass("interactive"), queued)).toBe(false)
  })
  law("keyOf() gives back the key of a record's subject", [nodeId, interval], (nodeId, interval) => {
    const key = Subject.series(nodeId, interval)
    expect(keyOf(Stream.coverage, keySubject(Stream.coverage, key))).toBe(key)
  })
  law("changedKey() gives back the key that was announced", [nodeId, interval], (nodeId, interval) => {
    const key = Subject.series(nodeId, interval)
    const announced = Announcement.changed("coverage").replace(">", () => key)
    expect(Announcement.changedKey("coverage", announced)).toEqual(Option.some(key))
    expect(Announcement.changedKey("jobs", announced)).toEqual(Option.none())
  })
  law("no two streams capture one subject", [nodeId, interval, windowStart, id], (nodeId, interval, start, id) => {
    const series = Subject.series(nodeId, interval)
    const subjects = [
      Subject.chunk(series, start, id),
      Subject.page(series, id),
      Subject.audit(series),
      ActorSubject.slot(ActorSubject.slotName("", 255)),
      ActorSubject.slot(ActorSubject.slotName("strategies", 255)),
      ActorSubject.host("host-1"),
      ActorSubject.settled("host-1"),
      ActorSubject.admin("alice", "hosts"),
      ActorSubject.deadLetter({ type: "counter", key: nodeId }, id),
      ...Object.values(Subject.service),
      ...Stream.every.flatMap((stream) => ("bucket" in stream ? [`$KV.${String(stream.bucket)}.${series}`] : []))
    ]
    const captured = subjects.map(
      (subject) => Stream.every.filter((stream) => matches(stream.subjects, subject)).length
    )
    expect(captured.every((count) => count <= 1)).toBe(true)
  })
  it("the longest node id leaves a key far below what NATS takes", () => {
    const series = Subject.series(".".repeat(Token.nodeIdBytesMax), "1440m")
    expect(Subject.chunk(series, -8_640_000_000_000_000, "f".repeat(64)).length).toBeLessThan(1_000)
  })
  it.each([
    ["no interval", "BTC"],
    ["an empty interval", "BTC."],
    ["three tokens", "BTC.1m.0"],
    ["no token", "B:C.1m"]
  ])("parseSeries() refuses %s", (_, key) => expect(Subject.parseSeries(key)).toEqual(Option.none()))
  it("changedKey() refuses another subject", () => {
    expect(Announcement.changedKey("coverage", "seamless.v1.changed.coverages.a.1m")).toEqual(Option.none())
  })
})
