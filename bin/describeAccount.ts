/** How does the account of an answer look on a terminal? */

const valueText = (value: unknown): string => (typeof value === "string" ? value : JSON.stringify(value))

/** One field a line: its name, then its value; what is not text is JSON. */
export const describeAccount = (account: object): string => {
  const fields = Object.entries(account)
  const width = fields.reduce((most, [name]) => Math.max(most, name.length), 0)
  return fields.map(([name, value]) => `${name.padEnd(width)}  ${valueText(value)}`).join("\n")
}
