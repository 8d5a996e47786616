/** Does the command line take the moment that was meant, and nothing else? */
import { assert, it } from "vitest"
import { parseTime, timeProblem } from "../../bin/parseTime.ts"

const midnight = Date.UTC(2022, 11, 13)

it.each([
  ["1670889600000", midnight],
  ["0", 0],
  ["2022", 2022],
  ["-60000", -60_000],
  ["2022-12-13", midnight],
  ["2022-12-13T00:00", midnight],
  ["2022-12-13 00:00:00", midnight],
  ["2022-12-13T00:00:00Z", midnight],
  ["2022-12-13T00:00:00z", midnight],
  ["2022-12-13T00:00:00.5Z", midnight + 500],
  ["2022-12-13T00:00:00,012", midnight + 12],
  ["2022-12-13T00:00:00.000000+00:00", midnight],
  ["2022-12-13T01:00+01:00", midnight],
  ["2022-12-12T19:30-0430", midnight],
  ["2022-12-13T09:00+09", midnight],
  ["2022-12-12T24:00", midnight],
  ["0050-01-01", new Date("0050-01-01T00:00:00Z").getTime()],
  ["2024-02-29", Date.UTC(2024, 1, 29)]
])("parseTime(%j) is %s", (text, expected) => assert.strictEqual(parseTime(text), expected))

it.each([
  "",
  "now",
  "2022-12-13T09+09",
  "1e3",
  "1.5",
  "99999999999999999",
  "2022-13-01",
  "2022-02-30",
  "2023-02-29",
  "2022-12-13T24:01",
  "2022-12-13T25:00",
  "2022-12-13T00:60",
  "2022-12-13T00:00:60",
  "2022-12-13T00:00:00.0001",
  "2022-12-13T00:00+24:00",
  "13.12.2022",
  "2022-12-13Z00:00",
  " 0",
  "20221213",
  "20229913",
  "1670889600"
])("parseTime(%j) is no moment", (text) => assert.isUndefined(parseTime(text)))

it.each([
  ["20221213", /ISO 8601.*; did you mean 2022-12-13\?$/],
  ["1670889600", /; did you mean 2022-12-13T00:00:00Z\?$/],
  ["20229913", /; did you mean epoch milliseconds with all their digits\?$/],
  ["soon", /such as 1670889600000 or 2022-12-13T00:00$/]
])("timeProblem(%j) says what would be right", (text, expected) => assert.match(timeProblem(text), expected))
