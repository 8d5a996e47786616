/**
 * What are the bytes of an answer to a read?
 *
 * Its columns and its account, in the form that the caller wants.
 */
import { Schema } from "effect"
import * as FrameCodec from "../../protocol/frame/FrameCodec.ts"
import * as FrameJson from "../../protocol/frame/FrameJson.ts"
import { HistoryMeta, type HistoryResult } from "../../protocol/history/HistoryResult.ts"
import type { BodyForm } from "../../protocol/wire/BodyForm.ts"
import { arrowMetaKey, Header, MediaType } from "../../protocol/wire/Header.ts"
import * as PlainPack from "../../protocol/wire/PlainPack.ts"
import type { Reply } from "../../runtime/ServiceEndpoint.ts"
import { packColumns } from "./packColumns.ts"

/** The account of an answer as it is on the wire. */
export const encodeMeta = Schema.encodeSync(HistoryMeta)

const textEncoder = new TextEncoder()

const jsonText = (text: string): Reply => ({
  data: textEncoder.encode(text),
  headers: new Map([[Header.contentType, MediaType.json]])
})

/** What an answer is wanted in: JSON, MessagePack, or Arrow with categories in one of their forms. */
export type AnswerForm = BodyForm | FrameCodec.CategoryForm

const arrowReply = ({ df, meta }: HistoryResult, categories: FrameCodec.CategoryForm, returnMeta: boolean): Reply => {
  const metadata = new Map(returnMeta ? [[arrowMetaKey, JSON.stringify(encodeMeta(meta))]] : [])
  return {
    data: FrameCodec.encode(df, { lineage: "columns", metadata, categories }),
    headers: new Map([[Header.contentType, MediaType.arrow]])
  }
}

const packedReply = ({ df, meta }: HistoryResult, returnMeta: boolean): Reply => {
  const types = FrameJson.typesOf(df)
  return {
    data: PlainPack.pack({
      columns: packColumns(df),
      ...(Object.keys(types).length > 0 && { types }),
      ...(returnMeta && { meta: encodeMeta(meta) })
    }),
    headers: new Map([[Header.contentType, MediaType.messagePack]])
  }
}

/** A history result in the form that is wanted. */
export const historyReply = (result: HistoryResult, form: AnswerForm, returnMeta: boolean): Reply => {
  if (form === "messagePack") return packedReply(result, returnMeta)
  if (form !== "json") return arrowReply(result, form, returnMeta)
  const types = FrameJson.typesOf(result.df)
  const typesText = Object.keys(types).length === 0 ? "" : `,"types":${JSON.stringify(types)}`
  const meta = returnMeta ? `,"meta":${JSON.stringify(encodeMeta(result.meta))}` : ""
  return jsonText(`{"columns":${FrameJson.toText(result.df)}${typesText}${meta}}`)
}
