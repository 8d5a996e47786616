/**
 * What are the bytes of an answer to a read?
 *
 * Its columns and its account, in the form that the caller wants.
 */
import { Schema } from "effect"
import type { Frame } from "../../protocol/frame/Frame.ts"
import * as FrameCodec from "../../protocol/frame/FrameCodec.ts"
import * as FrameJson from "../../protocol/frame/FrameJson.ts"
import { type HistoryMeta, type HistoryResult, RefusedMeta } from "../../protocol/history/HistoryResult.ts"
import type { BodyForm } from "../../protocol/wire/BodyForm.ts"
import { arrowMetaKey, Header, MediaType } from "../../protocol/wire/Header.ts"
import * as PlainPack from "../../protocol/wire/PlainPack.ts"
import type { Reply } from "../../runtime/ServiceEndpoint.ts"
import { packColumns } from "./packColumns.ts"

/** The account of an answer, or of a refusal, as it is on the wire. */
export const encodeMeta = Schema.encodeSync(RefusedMeta)

const textEncoder = new TextEncoder()

const jsonText = (text: string): Reply => ({
  data: textEncoder.encode(text),
  headers: new Map([[Header.contentType, MediaType.json]])
})

/** What an answer is wanted in: JSON, MessagePack, or Arrow with categories in one of their forms. */
export type AnswerForm = BodyForm | FrameCodec.CategoryForm

const arrowReply = (df: Frame, categories: FrameCodec.CategoryForm, meta: HistoryMeta | undefined): Reply => {
  const metadata = new Map(meta === undefined ? [] : [[arrowMetaKey, JSON.stringify(encodeMeta(meta))]])
  return {
    data: FrameCodec.encode(df, { lineage: "columns", metadata, categories }),
    headers: new Map([[Header.contentType, MediaType.arrow]])
  }
}

const packedReply = (df: Frame, meta: HistoryMeta | undefined): Reply => {
  const types = FrameJson.typesOf(df)
  return {
    data: PlainPack.pack({
      columns: packColumns(df),
      ...(Object.keys(types).length > 0 && { types }),
      ...(meta !== undefined && { meta: encodeMeta(meta) })
    }),
    headers: new Map([[Header.contentType, MediaType.messagePack]])
  }
}

/** Rows in the form that is wanted, with an account of them where there is one. */
export const frameReply = (df: Frame, form: AnswerForm, meta: HistoryMeta | undefined): Reply => {
  if (form === "messagePack") return packedReply(df, meta)
  if (form !== "json") return arrowReply(df, form, meta)
  const types = FrameJson.typesOf(df)
  const typesText = Object.keys(types).length === 0 ? "" : `,"types":${JSON.stringify(types)}`
  const metaText = meta === undefined ? "" : `,"meta":${JSON.stringify(encodeMeta(meta))}`
  return jsonText(`{"columns":${FrameJson.toText(df)}${typesText}${metaText}}`)
}

/** A history result in the form that is wanted. */
export const historyReply = ({ df, meta }: HistoryResult, form: AnswerForm, returnMeta: boolean): Reply =>
  frameReply(df, form, returnMeta ? meta : undefined)
