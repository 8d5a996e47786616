/**
 * What does a run look like, for people?
 *
 * One page with everything in it: a lane for each process, its faults as bars, the operations of clients as dots.
 */
import { readFileSync } from "node:fs"
import type { Line } from "./History.ts"

const template = new URL("timeline.html", import.meta.url)

// in a script element nothing may look like the end of it
const embedded = (data: unknown): string => JSON.stringify(data).replaceAll("<", String.raw`\u003c`)

/** The page of a history. */
export const timelinePage = (title: string, lines: ReadonlyArray<Line>): string =>
  readFileSync(template, "utf8").replace("/* data */", () => embedded({ title, lines }))
