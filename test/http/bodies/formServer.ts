import express from "express";
import { once } from "node:events";
import { type IncomingHttpHeaders, createServer } from "node:http";
import { type AddressInfo, type Socket, connect } from "node:net";
import { type FormFile, type Keeper, readForm } from "../../../src/http/bodies/multipart.js";
import { renderError } from "../../../src/http/middleware/renderError.js";
import { createLog } from "../../../src/process/log.js";

export const boundary = "b";
export const end = `--${boundary}--\r\n`;
export const part = (head: string, body: string) => `--${boundary}\r\n${head}\r\n\r\n${body}\r\n`;
export const field = (name: string, value: string) => part(`Content-Disposition: form-data; name="${name}"`, value);
export const fileHead = (filename: string) =>
  `--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="${filename}"\r\n\r\n`;
export const file = (filename: string, body: string) => `${fileHead(filename)}${body}\r\n`;

export interface KeptFile {
  field: string;
  filename: string;
  text: string;
}

/** Keeps files in memory and counts what happens to them. */
export function memoryKeeper() {
  const counts = { started: 0, kept: 0, failed: 0, dropped: 0 };
  const keeper: Keeper<KeptFile> = {
    async keep({ field, filename, bytes }: FormFile) {
      counts.started += 1;
      const parts: Buffer[] = [];
      try {
        for await (const bytesOfPart of bytes) parts.push(bytesOfPart);
      } catch (error) {
        counts.failed += 1;
        throw error;
      }
      counts.kept += 1;
      return { field, filename, text: Buffer.concat(parts).toString() };
    },
    drop() {
      counts.dropped += 1;
      return Promise.resolve();
    },
  };
  return { keeper, counts };
}

export interface Answer {
  status: number;
  body: {
    fields?: [string, string][];
    files?: KeptFile[];
    error?: { message: string; param: string | null; code: string };
  };
}

/** A server that answers with the form it read; errors are as in the service. */
export async function startFormServer(allowed: { fileBytes: number; files: number }, keeper: Keeper<KeptFile>) {
  const app = express();
  app.post("/", async (req, res) => {
    const form = await readForm(req, allowed, keeper);
    res.json({ fields: [...form.fields], files: form.files });
  });
  app.use(renderError(createLog("silent")));
  const server = createServer(app);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;

  /** A connection on which a form has begun; the test decides what it sends. */
  async function open(headers: IncomingHttpHeaders): Promise<{ socket: Socket; answer: Promise<Answer> }> {
    const socket = connect(port, "127.0.0.1");
    await once(socket, "connect");
    const lines = Object.entries({
      host: "x",
      "content-type": `multipart/form-data; boundary=${boundary}`,
      ...headers,
    }).map(([name, value]) => `${name}: ${String(value)}\r\n`);
    socket.write(`POST / HTTP/1.1\r\n${lines.join("")}\r\n`);
    return { socket, answer: readAnswer(socket) };
  }

  /** Sends a whole form, in these pieces. */
  async function send(pieces: readonly (Buffer | string)[], headers: IncomingHttpHeaders = {}): Promise<Answer> {
    const length = pieces.reduce((sum, piece) => sum + Buffer.byteLength(piece), 0);
    const { socket, answer } = await open({ "content-length": String(length), ...headers });
    socket.setNoDelay(true);
    for (const piece of pieces) await new Promise((resolve) => socket.write(piece, resolve));
    const result = await answer;
    socket.destroy();
    return result;
  }

  return {
    open,
    send,
    close: () =>
      new Promise((resolve) => {
        server.close(resolve);
        server.closeAllConnections();
      }),
  };
}

async function readAnswer(socket: Socket): Promise<Answer> {
  let text = "";
  const answer = () => {
    const at = text.indexOf("\r\n\r\n");
    const length = /content-length: (\d+)/i.exec(text)?.[1];
    return at === -1 || length === undefined || Buffer.byteLength(text.slice(at + 4)) < Number(length)
      ? null
      : { status: Number(text.split(" ")[1]), body: JSON.parse(text.slice(at + 4)) as Answer["body"] };
  };
  for await (const piece of socket.setEncoding("utf8").iterator({ destroyOnReturn: false }) as AsyncIterable<string>) {
    text += piece;
    const whole = answer();
    if (whole !== null) return whole;
  }
  throw new Error(`the connection ended without an answer: ${text}`);
}
