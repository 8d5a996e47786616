/**
 * Does the code keep its numbers and its words?
 *
 * A file that can't yet is listed in the ratchet with its present size, which may only fall. Each rule is then shown
 * samples that break it, and samples that only look as if they did.
 */
import { assert, describe, it } from "vitest"
import * as source from "./support/source/SourceFile.ts"
import { checkFileNames, checkFolderNames, checkVagueNames, type CheckPaths } from "./support/tidy/checkNames.ts"
import { rangeEndRule } from "./support/tidy/rangeEndRule.ts"
import { settle, type Ratchet, type Rule } from "./support/tidy/Rule.ts"
import { sizeRules } from "./support/tidy/sizeRules.ts"
import { surfaceRules } from "./support/tidy/surfaceRules.ts"
import { wordRules } from "./support/tidy/wordRules.ts"

/** By rule, then by file: the present size. Sizes only fall; client and bin list here where they touch the platform. */
const ratchet: Ratchet = {}

const rules: ReadonlyArray<Rule> = [...sizeRules, ...surfaceRules, ...wordRules, rangeEndRule]

const files = source.readSources()

const paths = source
  .existingFolders([...source.codeFolders, "deploy", "docs"])
  .flatMap((folder) => [`${folder}/`, ...source.listPaths(folder)])

describe("tidy", () => {
  it.each(rules)("$name", (rule) => assert.deepStrictEqual(settle(rule, files, ratchet), []))

  it("the ratchet names rules that exist", () => {
    const names = rules.map(({ name }) => name)
    assert.deepStrictEqual(
      Object.keys(ratchet).filter((name) => !names.includes(name)),
      []
    )
  })

  it("folders are lowercase", () => assert.deepStrictEqual(checkFolderNames(paths), []))
  it("files are Nouns or verbs", () => assert.deepStrictEqual(checkFileNames(paths), []))
  it("no file or folder takes everything", () => assert.deepStrictEqual(checkVagueNames(paths), []))
})

interface Samples {
  readonly path?: string
  readonly refuses: ReadonlyArray<string>
  readonly passes: ReadonlyArray<string>
}

const repeat = (count: number, text: string): string => Array.from({ length: count }, () => text).join("\n")

const titled = (text: string): readonly [title: string, text: string] => [
  text.replaceAll(/\s+/g, " ").slice(0, 60),
  text
]

/** By rule: texts with exactly one finding, and texts with none. */
const samples: Readonly<Record<string, Samples>> = {
  "a file has at most 500 lines": { refuses: [repeat(501, "a()")], passes: [`${repeat(500, "a()")}\n`] },
  "a line has at most 120 columns": {
    refuses: [`// ${"é".repeat(118)}`],
    passes: [`// ${"é".repeat(117)}`]
  },
  "a function has at most 70 lines": {
    refuses: [`const f = () => {\n${repeat(69, "a()")}\n}`, `class A {\n  f() {\n${repeat(69, "a()")}\n  }\n}`],
    passes: [`const f = () => {\n${repeat(68, "a()")}\n}`]
  },
  "a function takes at most 4 parameters": {
    refuses: [
      "const f = (a, b, c, d, e) => a",
      "interface A { f(a: 1, b: 1, c: 1, d: 1, e: 1): void }",
      "type A = (a: 1, b: 1, c: 1, d: 1, ...e: 1[]) => void"
    ],
    passes: ["function f(this: void, a, b, c, d) {}", "type A<B, C, D, E, F> = G<B, C, D, E, F>"]
  },
  "code nests at most 3 deep": {
    refuses: ["if (a) for (;;) while (b) { try { c() } finally {} }"],
    passes: [
      "if (a) {} else if (b) {} else if (c) {} else if (d) {}",
      "if (a) for (;;) while (b) { const c = () => { if (d) e() } }"
    ]
  },
  "a module exports at most 12 names": {
    refuses: [
      Array.from({ length: 13 }, (_, index) => `export const a${index} = 1`).join("\n"),
      `export { a, b, c, d, e, f, g, h, i, j, k, l } from "./a.ts"\nexport * from "./b.ts"`
    ],
    passes: [
      Array.from({ length: 12 }, (_, index) => `export const A${index} = 1\nexport type A${index} = 1`).join("\n")
    ]
  },
  "every export is documented": {
    refuses: [
      "export const a = 1",
      "/** Far away. */\n\nexport const a = 1",
      "// A plain comment.\nexport const a = 1",
      "/***/\nexport interface A {}",
      "const a = 1\nexport { a }"
    ],
    passes: [
      "/** A. */\nexport const a = 1",
      "/** A. */\nexport const A = 1\nexport type A = 1",
      "/** A. */\nconst a = 1\nexport { a }",
      `export { a } from "./a.ts"\nexport * from "./b.ts"`,
      `import { a } from "./a.ts"\nexport { a }`
    ]
  },
  "every file opens with a doc comment": {
    refuses: ["", `import { a } from "./a.ts"\n/** Late. */`, "// Plain."],
    passes: ["/** Which? */", "#!/usr/bin/env node\n/**\n * Which?\n */"]
  },
  "no default export": {
    refuses: ["export default 1", "export { a as default }", `export { default } from "./a.ts"`],
    passes: ["export const a = { default: 1 }", `export { default as a } from "./a.ts"`]
  },
  "no any": {
    refuses: ["const a = b as any", "const a: Array<any> = []"],
    passes: ["const any = a as unknown", "Schema.any()"]
  },
  "no console": {
    refuses: ["console.log(1)", "globalThis.console.error(1)"],
    passes: ["Console.log(1)", "options.console.log(1)"]
  },
  "no Date.now": {
    refuses: ["const a = Date.now()", "const clock = { now: Date.now }", "globalThis.Date.now()", `Date["now"]()`],
    passes: ["Date.parse(a)", `const a = "Date.now()" // Date.now()`, "DateTime.now"]
  },
  "no new Date()": { refuses: ["new Date()", "Date()"], passes: ["new Date(ms).toISOString()", "Schema.Date"] },
  "no performance.now": { refuses: ["performance.now()"], passes: ["this.performance.now()"] },
  "no Math.random": {
    refuses: ["Math.random()", "const draw = Math.random"],
    passes: ["Random.next", "Math.max(a, b)"]
  },
  "no setTimeout or setInterval": {
    refuses: [
      "setTimeout(a, 1)",
      "globalThis.setInterval(a, 1)",
      "const wait = setTimeout",
      `import { setTimeout } from "node:timers/promises"`,
      `import { setTimeout as wait } from "node:timers/promises"`
    ],
    passes: ["socket.setTimeout(1)", "const a = { setTimeout: 1 }"]
  },
  "no throw": { refuses: ["throw new Error()"], passes: ["Effect.fail(new Gone())", "iterator.throw(a)"] },
  "no skipped or focused test": {
    path: "test/sample.test.ts",
    refuses: [
      `it.skip("a", f)`,
      `describe.only("a", f)`,
      `it.effect.skip("a", f)`,
      `test.todo("a")`,
      `it("a", { skip: true }, f)`
    ],
    passes: [`it("a", f)`, "stream.skip(1)", "Effect.skip", `it("a", { timeout: 1 }, f)`]
  },
  "no unfinished marker": {
    refuses: ["// TODO later", "/* FIXME */", "/** XXX */"],
    passes: [`const a = "TODO"`, "// todos are a noun"]
  },
  "no silenced type error": {
    refuses: ["// @ts-ignore\na()", "// @ts-nocheck"],
    passes: ["// @ts-expect-error: a string is refused\na(1)"]
  },
  "only the range algebra compares range ends": {
    path: "actors/sample/Sample.ts",
    refuses: [
      "a.start < b.end",
      "startMs >= endMs",
      "windowEnd <= range.rangeStart!",
      "(a?.end as number) > b[0].start",
      "Math.max(a.start, b.start)",
      `Math.min(a["end"], windowEnd, limit)`
    ],
    passes: [
      "timeMs < range.end",
      "a.start === b.start",
      "Math.max(a.start, 0)",
      "list.start < count",
      "a.end - a.start"
    ]
  }
}

describe("each rule can fail", () => {
  it("each has its samples", () => {
    assert.deepStrictEqual(Object.keys(samples).toSorted(), rules.map(({ name }) => name).toSorted())
  })

  describe.each(rules)("$name", (rule) => {
    const { path = "runtime/Sample.ts", refuses, passes } = samples[rule.name]!

    it.each(refuses.map(titled))("refuses %s", (_, text) => {
      const lines = settle(rule, [source.parseSource(path, text)])
      assert.lengthOf(lines, 1)
      assert.match(lines[0]!, /^[\w./]+:\d+ \w/)
    })

    it.each(passes.map(titled))("passes %s", (_, text) => {
      assert.deepStrictEqual(settle(rule, [source.parseSource(path, text)]), [])
    })
  })

  it("rules about size spare the files that they name, and no others", () => {
    const longFunction = `const f = () => {\n${repeat(70, "a()")}\n}`
    const rule = sizeRules.find(({ name }) => name === "a function has at most 70 lines")!
    assert.lengthOf(settle(rule, [source.parseSource("test/a.test.ts", longFunction)]), 0)
    assert.lengthOf(settle(rule, [source.parseSource("bench/a.ts", longFunction)]), 0)
    assert.lengthOf(settle(rule, [source.parseSource("scripts/a.ts", longFunction)]), 1)
  })

  it.each([
    ["a.start < b.end", "RangeSet.intersect"],
    ["a.start < b.start", "RangeSet.contains"],
    ["Math.max(a.start, b.start)", "RangeSet.intersect"],
    ["Math.max(a.end, b.end)", "RangeSet.union"],
    ["Math.max(a.end, b.start)", "RangeSet.subtract"]
  ])("%s is told to use %s", (text, instead) => {
    const [line] = settle(rangeEndRule, [source.parseSource("actors/sample/Sample.ts", text)])
    assert.include(line, instead)
  })

  it("the range algebra itself may compare", () => {
    assert.deepStrictEqual(
      settle(rangeEndRule, [source.parseSource("protocol/history/RangeSet.ts", "a.start < b.end")]),
      []
    )
  })

  it("a text that doesn't parse is no pass", () => {
    assert.throws(() => source.parseSource("runtime/Sample.ts", "const = 1"), "runtime/Sample.ts does not parse")
  })
})

describe("ratchet", () => {
  const rule = wordRules.find(({ name }) => name === "no throw")!
  const path = "client/sample.ts"
  const twoThrows = [source.parseSource(path, "throw a\nthrow b")]
  const allow = (size: number): Ratchet => ({ [rule.name]: { [path]: size } })

  it("settle() forgives a file its listed size", () => {
    assert.deepStrictEqual(settle(rule, twoThrows, allow(2)), [])
  })

  it("settle() refuses a file that has grown", () => {
    assert.lengthOf(settle(rule, twoThrows, allow(1)), 2)
  })

  it("settle() refuses an entry that is larger than the file needs", () => {
    assert.match(settle(rule, twoThrows, allow(3))[0]!, /the ratchet says 3: write 2$/)
    assert.match(settle(rule, [source.parseSource(path, "")], allow(3))[0]!, /remove the entry$/)
  })

  it("settle() refuses an entry whose file is gone", () => {
    assert.match(settle(rule, [], allow(1))[0]!, /is gone/)
  })
})

describe("names", () => {
  const cases: ReadonlyArray<readonly [string, CheckPaths, ReadonlyArray<string>, ReadonlyArray<string>]> = [
    ["checkFolderNames", checkFolderNames, ["runtime/Nats/"], ["runtime/nats/", "runtime/Actor.ts"]],
    [
      "checkFileNames",
      checkFileNames,
      ["runtime/actor-ref.ts", "runtime/actor_ref.ts", "runtime/1.ts", "runtime/Actor.tsx", "runtime/Actor.mts"],
      ["runtime/Actor.ts", "runtime/planRead.ts", "test/rooms.test.ts", "deploy/read-me.yaml"]
    ],
    [
      "checkVagueNames",
      checkVagueNames,
      ["runtime/utils.ts", "runtime/common/", "test/helpers.test.ts", "protocol/Types.ts", "cluster/Manager.ts"],
      ["runtime/Actor.ts", "cluster/SlotClaim.ts"]
    ]
  ]

  it.each(cases)("%s() refuses each wrong name and no right one", (_, checkPaths, refuses, passes) => {
    for (const path of refuses) assert.lengthOf(checkPaths([path]), 1, path)
    assert.deepStrictEqual(checkPaths(passes), [])
  })
})
