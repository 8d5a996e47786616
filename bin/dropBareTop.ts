/** Which flag may stand without its value? */

/**
 * The arguments without a `--top` that has no number behind it: it asks for what is shown anyway.
 *
 * @example
 * dropBareTop(["actors", "--top", "--type", "a"]) // => ["actors", "--type", "a"]
 */
export const dropBareTop = (args: ReadonlyArray<string>): ReadonlyArray<string> =>
  args.filter((arg, at) => {
    const next = args[at + 1]
    return arg !== "--top" || !(next === undefined || next.startsWith("-"))
  })
