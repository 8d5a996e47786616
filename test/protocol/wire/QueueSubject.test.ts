/** Is the queue entry of a window found by the consumer of its class, and by no other? */
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { JobClass } from "../../../protocol/history/BackfillJob.ts"
import * as QueueSubject from "../../../protocol/wire/QueueSubject.ts"
import * as Subject from "../../../protocol/wire/Subject.ts"
import { law } from "../../support/law.ts"

const entry = fc.record({
  jobClass: fc.constantFrom(...JobClass.literals),
  partition: fc.nat(63),
  windowKey: fc
    .tuple(fc.string({ unit: "binary", minLength: 1, maxLength: 40 }), fc.constantFrom("1m", "1d"), fc.integer())
    .map(([nodeId, interval, windowStart]) => Subject.window(Subject.series(nodeId, interval), windowStart))
})

describe("queuedClasses", () => {
  it("queuedClasses are the classes that jobs have, the most urgent first", () => {
    expect(QueueSubject.queuedClasses).toEqual(JobClass.literals)
  })
})

describe("queuedJob()", () => {
  law("queuedWindow() gives back the window that queuedJob() took, of whichever class", [entry], (entry) =>
    expect(QueueSubject.queuedWindow(QueueSubject.queuedJob(entry))).toBe(entry.windowKey)
  )

  law("queuedClass() is the filter of one class", [entry, fc.constantFrom(...JobClass.literals)], (entry, jobClass) => {
    const filter = QueueSubject.queuedClass(jobClass)
    const isFound = QueueSubject.queuedJob(entry).startsWith(filter.slice(0, -1))
    expect(filter.endsWith(".>")).toBe(true)
    expect(isFound).toBe(jobClass === entry.jobClass)
  })
})
