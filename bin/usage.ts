/**
 * What does a person see who asks for help, or who got the command line wrong?
 *
 * Help that was asked for is data. A wrong line gets what is wrong and how it would be right, on the error output; not
 * the whole manual, in which the one sentence that matters would drown.
 */
import { Effect } from "effect"
import { CliOutput } from "effect/cli"
import { printData, printNote } from "./print.ts"

const { formatCliError, formatHelpDoc } = CliOutput.defaultFormatter()

const describeMisuse = ({ commandPath, errors, helpDoc }: CliOutput.Presenter.InvalidInvocation): string =>
  [
    ...new Set(errors.map(formatCliError)),
    "",
    `Usage: ${helpDoc.usage}`,
    `${commandPath.join(" ")} --help tells what each part means.`
  ].join("\n")

/** Writes help, the version, and what is wrong with a command line. */
export const presenter: CliOutput.Presenter = {
  present: (event) => {
    switch (event._tag) {
      case "Help":
        return event.reason === "Requested"
          ? Effect.orDie(printData(formatHelpDoc(event.helpDoc)))
          : printNote(formatHelpDoc(event.helpDoc))
      case "InvalidInvocation":
        return printNote(describeMisuse(event))
      case "Version":
        return Effect.orDie(printData(`${event.name} ${event.version}`))
    }
  }
}
