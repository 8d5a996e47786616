/** What is said where the parts of a command line, each right by itself, do not fit together? */
import { Data } from "effect"

/** The command line is wrong, which its parser could not see; nobody was asked. */
export class WrongUsage extends Data.TaggedError("WrongUsage")<{ readonly problem: string; readonly usage: string }> {
  override get message() {
    return `${this.problem}\n\nUsage: ${this.usage}`
  }
}
