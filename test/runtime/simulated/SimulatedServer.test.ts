/** What does the simulated server do when something is done to it? */
import { Option } from "effect"
import { assert, describe, it } from "vitest"
import * as Stream from "../../../protocol/wire/Stream.ts"
import { keySubject } from "../../../protocol/wire/StreamSpec.ts"
import * as Subject from "../../../protocol/wire/Subject.ts"
import type { WriteOptions } from "../../../runtime/Mesh.ts"
import type { Answer } from "../../../runtime/simulated/Answer.ts"
import type { Taken } from "../../../runtime/simulated/JobQueue.ts"
import type { Packet } from "../../../runtime/simulated/Subscriptions.ts"
import * as SimulatedServer from "../../../runtime/simulated/SimulatedServer.ts"
import { handTime } from "./handTime.ts"

const bytes = (text: string) => new TextEncoder().encode(text)
const textOf = (data: Uint8Array) => new TextDecoder().decode(data)

const client = "a"
const { actors, audit, queue, sessions, slots, timers } = Stream

const valueOf = <A>(answer: Answer<A>): A => {
  assert.strictEqual(answer._tag, "Done", JSON.stringify(answer))
  return answer._tag === "Done" ? answer.value : assert.fail()
}

const makeServer = (options: Partial<SimulatedServer.ServerOptions> = {}) => {
  const time = handTime()
  const stored: Array<SimulatedServer.StoredEntry> = []
  const server = SimulatedServer.make({
    nowMs: time.nowMs,
    schedule: time.schedule,
    streams: Stream.every,
    onStored: (entry) => stored.push(entry),
    ...options
  })
  const write = (bucket: typeof actors, key: string, text: string, how: WriteOptions = {}) =>
    server.write({ client, subject: keySubject(bucket, key), data: bytes(text) }, how)
  const read = (bucket: typeof actors, key: string, lagMs = 0): string => {
    const found = valueOf(server.read({ stream: bucket.name, lagMs }, keySubject(bucket, key)))
    if (Option.isNone(found)) return "absent"
    return Option.match(found.value.value, { onNone: () => "ended", onSome: textOf })
  }
  const readAll = (bucket: typeof actors, lagMs = 0): ReadonlyArray<string> =>
    valueOf(server.readMany({ stream: bucket.name, lagMs }, [bucket.subjects])).map(
      ({ revision, subject }) => `${subject.slice(keySubject(bucket, "").length)}@${revision}`
    )
  const enqueue = (window: string) =>
    server.enqueue({ client, subject: `seamless.v1.jobs.interactive.0.${window}`, data: bytes(window) })
  const take = (by: string) => {
    const got: Array<Taken | undefined> = []
    const answer = server.take(queue.name, {
      client: by,
      jobClass: "interactive",
      isPatient: true,
      answer: (one) => got.push(one)
    })
    return { answer, got }
  }
  return { ...time, server, stored, write, read, readAll, enqueue, take }
}

/** Subscribes a client; what it got. */
const listen = (server: SimulatedServer.SimulatedServer, by: string, subject: string, group?: string) => {
  const got: Array<string> = []
  server.subscribe({ client: by, subject, group, deliver: ({ data }) => void got.push(textOf(data)) })
  return got
}

describe("an outage", () => {
  it("setWritable() refuses what is written and taken, or says nothing; nothing of it takes effect", () => {
    const { enqueue, read, readAll, server, stored, take, write } = makeServer()
    valueOf(write(actors, "k", "before"))
    for (const [writes, tag] of [
      ["refused", "Refused"],
      ["unanswered", "Silence"]
    ] as const) {
      server.setWritable(false, { writes })
      assert.strictEqual(write(actors, "k", "meanwhile")._tag, tag)
      assert.strictEqual(enqueue("w")._tag, tag)
      assert.strictEqual(take("b").answer._tag, tag)
      assert.strictEqual(server.dequeue(sessions.name, keySubject(sessions, "k"))._tag, tag)
    }
    assert.strictEqual(read(actors, "k"), "before")
    server.setWritable(true)
    assert.strictEqual(valueOf(write(actors, "k", "after")), 2)
    assert.deepStrictEqual(readAll(actors), ["k@2"])
    assert.lengthOf(stored, 2)
  })

  it("setWritable() of some streams leaves the others, and may leave reads without an answer", () => {
    const { read, server, write } = makeServer()
    server.setWritable(false, { streams: [slots.name], reads: "unanswered" })
    assert.strictEqual(write(slots, "k", "a")._tag, "Refused")
    assert.strictEqual(server.read({ stream: slots.name, lagMs: 0 }, keySubject(slots, "k"))._tag, "Silence")
    assert.strictEqual(server.readMany({ stream: slots.name, lagMs: 0 }, [slots.subjects])._tag, "Done")
    valueOf(write(actors, "k", "a"))
    assert.strictEqual(read(actors, "k"), "a")
  })

  it("nothing ends without a leader; what is due ends when there is one", () => {
    const { pass, read, server, stored, write } = makeServer()
    valueOf(write(sessions, "k", "a", { ttlSeconds: 3 }))
    valueOf(write(timers, "k", "a", { ttlSeconds: 5 }))
    pass(1000)
    server.setWritable(false)
    pass(10_000)
    assert.strictEqual(read(sessions, "k"), "a")
    assert.strictEqual(read(timers, "k"), "a")
    server.setWritable(true)
    assert.strictEqual(read(sessions, "k"), "ended")
    assert.strictEqual(read(timers, "k"), "absent")
    assert.deepStrictEqual(stored.at(-1), {
      stream: sessions.name,
      subject: keySubject(sessions, "k"),
      revision: 2,
      previous: 1,
      form: "marker",
      data: new Uint8Array(0),
      atMs: 1_011_000,
      by: undefined
    })
  })
})

describe("a full disk", () => {
  it("setFull() refuses what is new or larger; what is there is still replaced and removed", () => {
    const { enqueue, read, server, write } = makeServer()
    valueOf(write(actors, "k", "a"))
    valueOf(enqueue("w"))
    server.setFull(true)
    assert.strictEqual(write(actors, "new", "a")._tag, "Refused")
    assert.strictEqual(enqueue("new")._tag, "Refused")
    assert.strictEqual(write(actors, "k", "more")._tag, "Refused")
    assert.strictEqual(valueOf(write(actors, "k", "b", { expect: 1 })), 2)
    valueOf(write(actors, "k", "", { remove: true }))
    assert.strictEqual(read(actors, "k"), "ended")
    assert.strictEqual(valueOf(enqueue("w")), 0)
    server.setFull(false)
    valueOf(write(actors, "new", "a"))
  })

  it("setFull() of some streams leaves the others", () => {
    const { server, write } = makeServer()
    server.setFull(true, [actors.name])
    assert.strictEqual(write(actors, "k", "a")._tag, "Refused")
    valueOf(write(slots, "k", "a"))
  })
})

describe("a lost tail", () => {
  it("rollBack() takes back what came after a moment, sequences too; what stood stands again", () => {
    const { pass, read, readAll, server, write } = makeServer()
    valueOf(write(actors, "kept", "a"))
    valueOf(write(actors, "changed", "old"))
    valueOf(write(actors, "removed", "old"))
    pass(10)
    valueOf(write(actors, "changed", "new"))
    valueOf(write(actors, "removed", "", { remove: true }))
    valueOf(write(actors, "new", "a"))
    valueOf(write(slots, "k", "a"))
    server.rollBack({ streams: [actors.name], keepUntilMs: 1_000_005 })
    assert.deepStrictEqual(readAll(actors), ["kept@1", "changed@2", "removed@3"])
    assert.strictEqual(read(actors, "changed"), "old")
    assert.strictEqual(read(actors, "removed"), "old")
    assert.strictEqual(server.lastSequence(actors.name), 3)
    assert.strictEqual(read(slots, "k"), "a")
    assert.strictEqual(valueOf(write(actors, "changed", "else", { expect: 2 })), 4)
  })

  it("rollBack() brings back what has ended meanwhile, and it ends again", () => {
    const { pass, read, readAll, server, write } = makeServer()
    valueOf(write(timers, "k", "a", { ttlSeconds: 2 }))
    valueOf(write(sessions, "k", "a", { ttlSeconds: 2 }))
    pass(2500)
    assert.deepStrictEqual([read(timers, "k"), read(sessions, "k")], ["absent", "ended"])
    server.rollBack({ keepUntilMs: 1_001_000 })
    assert.deepStrictEqual([read(timers, "k"), read(sessions, "k")], ["a", "a"])
    pass(1)
    assert.deepStrictEqual([read(timers, "k"), read(sessions, "k")], ["absent", "ended"])
    assert.deepStrictEqual(readAll(sessions), ["k@2"])
  })

  it("rollBack() goes no further back than history is kept, and without it nowhere", () => {
    const { pass, read, server, write } = makeServer({ historyMs: 0 })
    pass(10)
    valueOf(write(actors, "k", "a"))
    server.rollBack({ keepUntilMs: 0 })
    assert.strictEqual(read(actors, "k"), "a")
  })
})

describe("a replica that is behind", () => {
  it("history() with a lag gives what was written by then, and after rollBack() what is left", () => {
    const { pass, server } = makeServer()
    const subject = Subject.audit("a.1m")
    const write = (text: string) => valueOf(server.write({ client, subject, data: bytes(text) }, {}))
    const seen = (lagMs: number) => {
      const { entries, isLast } = valueOf(server.history({ stream: audit.name, lagMs }, subject, {}))
      assert.isTrue(isLast)
      return entries.map(({ revision, value }) => `${textOf(Option.getOrThrow(value))}@${revision}`)
    }
    write("1")
    pass(100)
    write("2")
    pass(100)
    write("3")
    assert.deepStrictEqual(
      [0, 1, 100, 101, 200, 201].map((lagMs) => seen(lagMs)),
      [["1@1", "2@2", "3@3"], ["1@1", "2@2"], ["1@1", "2@2"], ["1@1"], ["1@1"], []]
    )
    server.rollBack({ streams: [audit.name], keepUntilMs: 1_000_150 })
    assert.deepStrictEqual(seen(0), ["1@1", "2@2"])
  })

  it("names() with a lag are those that were kept then, and tell the time of now", () => {
    const { pass, server } = makeServer()
    const write = (subject: string, text: string) => valueOf(server.write({ client, subject, data: bytes(text) }, {}))
    const chunkAt = (id: string) => Subject.chunk("a.1m", 0, id)
    const seen = (stream: string, subject: string, lagMs: number) => {
      const { entries, nowMs } = valueOf(server.names({ stream, lagMs }, subject, {}))
      assert.isTrue(entries.every(({ atMs }) => atMs <= nowMs - lagMs))
      return entries.map(({ bytes: size, revision }) => `${revision}:${size}`)
    }
    for (const text of ["1", "22"]) {
      write(chunkAt("a"), text)
      write(chunkAt(text), text)
      write(Subject.audit("a.1m"), text)
      pass(100)
    }
    const all = Subject.allOf("chunks", "a.1m")
    assert.deepStrictEqual(
      [0, 100, 101, 200, 201].map((lagMs) => seen("seamless-chunks", all, lagMs)),
      [["2:1", "3:2", "4:2"], ["2:1", "3:2", "4:2"], ["1:1", "2:1"], ["1:1", "2:1"], []]
    )
    assert.deepStrictEqual(
      [0, 101, 201].map((lagMs) => seen(audit.name, Subject.audit("a.1m"), lagMs)),
      [["1:1", "2:2"], ["1:1"], []]
    )
  })

  it("read() and readMany() with a lag give what stood then", () => {
    const { pass, read, readAll, write } = makeServer()
    valueOf(write(actors, "k", "1"))
    pass(100)
    valueOf(write(actors, "k", "2"))
    valueOf(write(actors, "l", "1"))
    pass(100)
    valueOf(write(actors, "k", "", { remove: true }))
    assert.deepStrictEqual(
      [0, 1, 100, 150, 200, 201].map((lagMs) => read(actors, "k", lagMs)),
      ["ended", "2", "2", "1", "1", "absent"]
    )
    assert.deepStrictEqual(readAll(actors, 50), ["k@2", "l@3"])
    assert.deepStrictEqual(readAll(actors, 150), ["k@1"])
    assert.deepStrictEqual(readAll(actors), ["l@3", "k@4"])
  })

  it("read() with a lag gives what is gone since, and what came in its place", () => {
    const { pass, read, server, write } = makeServer()
    valueOf(write(timers, "k", "a", { ttlSeconds: 1 }))
    valueOf(write(sessions, "k", "a"))
    pass(1000)
    server.dequeue(sessions.name, keySubject(sessions, "k"))
    pass(1000)
    assert.deepStrictEqual([read(timers, "k"), read(timers, "k", 1001)], ["absent", "a"])
    assert.deepStrictEqual([read(sessions, "k"), read(sessions, "k", 1001)], ["absent", "a"])
    valueOf(write(timers, "k", "b", { expect: 0 }))
    assert.deepStrictEqual(
      [0, 500, 1500].map((lagMs) => read(timers, "k", lagMs)),
      ["b", "absent", "a"]
    )
  })

  it("read() of long ago gives what stood as long ago as is known, never what is newer than that", () => {
    const { pass, read, write } = makeServer({ historyMs: 1000 })
    valueOf(write(actors, "k", "1"))
    pass(5000)
    valueOf(write(actors, "k", "2"))
    pass(5000)
    valueOf(write(actors, "l", "1"))
    assert.strictEqual(read(actors, "k", 900), "2")
    assert.strictEqual(read(actors, "l", 900), "absent")
  })
})

describe("the end of a record", () => {
  it("comes as late as it is told, never before its time, and not for what was renewed", () => {
    const { pass, read, write } = makeServer({ expiryLagMs: () => 200 })
    valueOf(write(sessions, "k", "a", { ttlSeconds: 3 }))
    pass(3199)
    assert.strictEqual(read(sessions, "k"), "a")
    valueOf(write(sessions, "k", "b", { expect: 1, ttlSeconds: 3 }))
    pass(3199)
    assert.strictEqual(read(sessions, "k"), "b")
    pass(1)
    assert.strictEqual(read(sessions, "k"), "ended")
    pass(60_199)
    assert.strictEqual(read(sessions, "k"), "ended")
    pass(1)
    assert.strictEqual(read(sessions, "k"), "absent")
  })

  it("comes in the order of the times, however they were set", () => {
    const { pass, stored, write } = makeServer()
    const seconds = [5, 3, 9, 1, 7, 2, 8, 4, 6, 10]
    for (const one of seconds) valueOf(write(sessions, String(one), "a", { ttlSeconds: one }))
    pass(20_000)
    assert.deepStrictEqual(
      stored.slice(10).map(({ atMs, subject }) => [subject.split(".").at(-1), atMs - 1_000_000]),
      seconds.toSorted((a, b) => a - b).map((one) => [String(one), one * 1000])
    )
  })
})

describe("a client that is away", () => {
  it("disconnect() loses what is sent to it; reconnect() has its subscriptions back", () => {
    const { server } = makeServer()
    const got = listen(server, "a", "s.*")
    const send = (text: string) => server.publish({ client: "b", subject: "s.1", data: bytes(text) })
    send("1")
    server.disconnect("a")
    send("2")
    const answers: Array<unknown> = []
    const asked = { client: "b", subject: "s.1", data: bytes("?"), replyTo: "_INBOX.b.1" }
    server.request(asked, (answer) => answers.push(answer))
    assert.deepStrictEqual(answers, [undefined])
    server.reconnect("a")
    send("3")
    assert.deepStrictEqual(got, ["1", "3"])
    server.forget("a")
    server.reconnect("a")
    send("4")
    assert.deepStrictEqual(got, ["1", "3"])
  })

  it("disconnect() loses the answers to what it asked, but not to what it still asks for when it is back", () => {
    const { server } = makeServer()
    const replies: Array<(text: string) => void> = []
    const deliver = (packet: Packet) => void replies.push((text) => packet.reply?.send(bytes(text), new Map()))
    server.subscribe({ client: "b", subject: "s", group: undefined, deliver })
    const answers: Array<string> = []
    for (const text of ["1", "2"]) {
      const asked = { client: "a", subject: "s", data: bytes(text), replyTo: `_INBOX.a.${text}` }
      server.request(asked, (answer) => answers.push(textOf(answer!.data)))
    }
    server.disconnect("a")
    replies[0]!("lost")
    server.reconnect("a")
    replies[1]!("late")
    assert.deepStrictEqual(answers, ["late"])
  })

  it("disconnect() lets its group do without it", () => {
    const { server } = makeServer({ pick: () => 0 })
    const [first, second] = [listen(server, "a", "s", "g"), listen(server, "b", "s", "g")]
    const send = (text: string) => server.publish({ client, subject: "s", data: bytes(text) })
    send("1")
    server.disconnect("a")
    send("2")
    assert.deepStrictEqual([first, second], [["1"], ["2"]])
  })

  it("disconnect() gives its pull to nobody, and what it took goes to the next when its time is over", () => {
    const { enqueue, pass, server, take } = makeServer()
    valueOf(enqueue("w"))
    const taken = take("a")
    const waiting = take("a")
    assert.lengthOf(taken.got, 1)
    server.disconnect("a")
    valueOf(enqueue("v"))
    const next = take("b")
    assert.deepStrictEqual(
      next.got.map((one) => one?.subject),
      ["seamless.v1.jobs.interactive.0.v"]
    )
    pass(3500)
    const last = take("b")
    pass(1000)
    assert.deepStrictEqual(
      last.got.map((one) => one?.subject),
      ["seamless.v1.jobs.interactive.0.w"]
    )
    assert.lengthOf(waiting.got, 0)
  })
})

describe("what stands", () => {
  it("onStored is told each message that is accepted, and entries() shows what stands", () => {
    const { enqueue, server, stored, write } = makeServer()
    valueOf(write(actors, "k", "a", { expect: 0 }))
    assert.strictEqual(write(actors, "k", "b", { expect: 0 })._tag, "Conflict")
    valueOf(write(actors, "k", "", { expect: 1, remove: true }))
    valueOf(enqueue("w"))
    const subject = keySubject(actors, "k")
    const base = { stream: actors.name, subject, atMs: 1_000_000, by: client }
    assert.deepStrictEqual(stored.slice(0, 2), [
      { ...base, revision: 1, previous: 0, form: "value", data: bytes("a") },
      { ...base, revision: 2, previous: 1, form: "removed", data: bytes("") }
    ])
    assert.strictEqual(stored[2]!.stream, queue.name)
    assert.deepStrictEqual(server.entries(actors.name), [
      { subject, revision: 2, form: "removed", data: bytes(""), atMs: 1_000_000, endsAtMs: Infinity }
    ])
    assert.deepStrictEqual(
      server.queued(queue.name).map((one) => [one.subject, one.isTaken]),
      [["seamless.v1.jobs.interactive.0.w", false]]
    )
  })

  it("onRemoved is told each message that is removed by its sequence, once", () => {
    const removed: Array<SimulatedServer.RemovedEntry> = []
    const { server } = makeServer({ onRemoved: (entry) => removed.push(entry) })
    const subject = "seamless.v1.audit.n.1m"
    for (const text of ["a", "b"]) valueOf(server.write({ client, subject, data: bytes(text) }, {}))
    for (const revision of [1, 1, 7]) valueOf(server.remove(Stream.audit.name, revision))
    server.setWritable(false)
    assert.notStrictEqual(server.remove(Stream.audit.name, 2)._tag, "Done")
    assert.deepStrictEqual(removed, [{ stream: Stream.audit.name, subject, revision: 1, atMs: 1_000_000 }])
  })

  it("names() tells of times as the server's clock shows them", () => {
    const { server } = makeServer({ beginsAtMs: 7_000_000 })
    const subject = "seamless.v1.audit.n.1m"
    valueOf(server.write({ client, subject, data: bytes("a") }, {}))
    const page = valueOf(server.names({ stream: Stream.audit.name, lagMs: 0 }, subject, {}))
    assert.deepStrictEqual([page.nowMs, page.entries[0]?.atMs], [8_000_000, 8_000_000])
  })

  it("entries() of a log are all of its messages", () => {
    const { server } = makeServer()
    const subject = "seamless.v1.audit.n.1m"
    for (const text of ["a", "b"]) valueOf(server.write({ client, subject, data: bytes(text) }, {}))
    assert.deepStrictEqual(
      server.entries(audit.name).map(({ data }) => textOf(data)),
      ["a", "b"]
    )
  })

  it("letters go after a month, and the oldest when there are too many", () => {
    const { pass, server } = makeServer({ historyMs: 0 })
    const letter = (name: string) =>
      server.write({ client, subject: `seamless.v1.dead.t.k.${name}`, data: bytes("") }, {})
    for (let count = 0; count < 100_002; count++) letter(String(count))
    const standing = server.entries("seamless-dead")
    assert.lengthOf(standing, 100_000)
    assert.strictEqual(standing[0]!.subject, "seamless.v1.dead.t.k.2")
    pass(30 * 24 * 3_600_000 - 1)
    assert.lengthOf(server.entries("seamless-dead"), 100_000)
    pass(1)
    assert.lengthOf(server.entries("seamless-dead"), 0)
  })
})
