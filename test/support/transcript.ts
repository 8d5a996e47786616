/**
 * How is a conversation told as a text?
 *
 * A transcript is blocks of commands, `----`, and what they print; a blank line ends a block. With `UPDATE_SCENARIOS=1`
 * what is printed now takes the place of what the file says, and the difference is reviewed like code.
 */
import { readFileSync, writeFileSync } from "node:fs"
import { expect, it } from "vitest"

const rule = "----"

/** Tells what a command prints, in lines. */
export type Tell = (command: string) => ReadonlyArray<string>

const isUpdating = process.env["UPDATE_SCENARIOS"] === "1"

const retell = (text: string, tell: Tell): string =>
  text
    .trim()
    .split(/\n{2,}/)
    .map((block) => {
      const lines = block.split("\n")
      const ruled = lines.indexOf(rule)
      const commands = ruled < 0 ? lines : lines.slice(0, ruled)
      // lines with a hash are for the reader
      const printed = commands.filter((line) => !line.startsWith("#")).flatMap(tell)
      return printed.length === 0 ? commands.join("\n") : [...commands, rule, ...printed].join("\n")
    })
    .join("\n\n")
    .concat("\n")

/** A test that the story in the file comes out as it says, told anew from its beginning. */
export const transcript = (title: string, file: URL, begin: () => Tell): void => {
  it(title, () => {
    const written = readFileSync(file, "utf8")
    const told = retell(written, begin())
    if (isUpdating) writeFileSync(file, told)
    else expect(told).toBe(written)
  })
}
