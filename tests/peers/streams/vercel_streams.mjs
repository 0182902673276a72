// Streams of the AI SDK, whose model is a script: UI message streams as a route handler answers them, and text streams.
//
// usage: node vercel_streams.mjs DIRECTORY

import { mkdirSync, writeFileSync } from "node:fs";
import { createUIMessageStream, createUIMessageStreamResponse, simulateReadableStream, streamText, stepCountIs, tool } from "ai";
import { MockLanguageModelV3 } from "ai/test";
import { z } from "zod";

const usage = {
  inputTokens: { total: 10, noCache: 7, cacheRead: 3, cacheWrite: undefined },
  outputTokens: { total: 4, text: 2, reasoning: 2 },
};
const finish = (unified) => ({ type: "finish", finishReason: { unified, raw: unified }, usage });
const start = { type: "stream-start", warnings: [] };

const calls = [
  start,
  { type: "reasoning-start", id: "r" },
  { type: "reasoning-delta", id: "r", delta: "hm" },
  { type: "reasoning-delta", id: "r", delta: "m" },
  { type: "reasoning-end", id: "r" },
  { type: "text-start", id: "t" },
  { type: "text-delta", id: "t", delta: "Let me " },
  { type: "text-delta", id: "t", delta: "add é. " },
  { type: "text-end", id: "t" },
  { type: "tool-input-start", id: "tu1", toolName: "add" },
  { type: "tool-input-delta", id: "tu1", delta: '{"a": 1,' },
  { type: "tool-input-delta", id: "tu1", delta: ' "b": 2}' },
  { type: "tool-input-end", id: "tu1" },
  { type: "tool-call", toolCallId: "tu1", toolName: "add", input: '{"a": 1, "b": 2}' },
  finish("tool-calls"),
];
const says = [
  start,
  { type: "text-start", id: "t" },
  { type: "text-delta", id: "t", delta: "It is " },
  { type: "text-delta", id: "t", delta: "3" },
  { type: "text-end", id: "t" },
  finish("stop"),
];
const breaks = [...says.slice(0, 3), { type: "error", error: new Error("model failed mid-stream") }];

const model = (...scripts) =>
  new MockLanguageModelV3({
    doStream: async () => ({ stream: simulateReadableStream({ chunks: scripts.shift(), chunkDelayInMs: null, initialDelayInMs: null }) }),
  });
const add = (execute, more = {}) => tool({ description: "Adds two numbers.", inputSchema: z.object({ a: z.number(), b: z.number() }), execute, ...more });
const run = (scripts, tools) => streamText({ model: model(...scripts), prompt: "1+2?", tools, stopWhen: stepCountIs(3), onError: () => {} });
const ids = { generateMessageId: () => "msg1", originalMessages: [], onError: (error) => String(error.message ?? error) };

async function save(name, response) {
  const body = Buffer.from(await response.arrayBuffer());
  const path = `${process.argv[2]}/${name}.body`;
  mkdirSync(path.slice(0, path.lastIndexOf("/")), { recursive: true });
  writeFileSync(path, body);
  console.log(`${name}: ${response.headers.get("content-type")}, ${body.length} bytes`);
}

const sum = async ({ a, b }) => a + b;
await save("vercel/tool", run([calls, says], { add: add(sum) }).toUIMessageStreamResponse(ids));
await save("vercel/usage", run([says]).toUIMessageStreamResponse({
  ...ids, messageMetadata: ({ part }) => (part.type === "finish" ? { usage: part.totalUsage } : undefined),
}));
await save("vercel/tool-fails", run([calls, says], { add: add(async () => { throw new Error("no é"); }) }).toUIMessageStreamResponse(ids));
await save("vercel/preliminary", run([calls, says], { add: add(async function* () { yield 1; yield 3; }) }).toUIMessageStreamResponse(ids));
await save("vercel/approval", run([calls, says], { add: add(sum, { needsApproval: true }) }).toUIMessageStreamResponse(ids));
await save("vercel/client-tool", run([calls, says], { add: add(undefined) }).toUIMessageStreamResponse(ids));
await save("vercel/fail", run([breaks]).toUIMessageStreamResponse(ids));
await save("vercel/text", run([says]).toTextStreamResponse());
await save("vercel/data", createUIMessageStreamResponse({
  stream: createUIMessageStream({
    execute: ({ writer }) => {
      writer.write({ type: "start", messageId: "msg1" });
      writer.write({ type: "data-weather", id: "w1", data: { city: "Paris" } });
      writer.write({ type: "source-url", sourceId: "s1", url: "https://example.com/" });
      writer.write({ type: "text-start", id: "t" });
      writer.write({ type: "text-delta", id: "t", delta: "Sunny" });
      writer.write({ type: "text-end", id: "t" });
      writer.write({ type: "abort", reason: "the user left" });
    },
  }),
}));
