import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";
import type { Service } from "./service.js";

const boundary = "----bench";
const head = (name: string, fields: Record<string, string>) =>
  Object.entries(fields)
    .map(([field, value]) => `--${boundary}\r\nContent-Disposition: form-data; name="${field}"\r\n\r\n${value}\r\n`)
    .join("") + `--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="${name}"\r\n\r\n`;
const tail = `\r\n--${boundary}--\r\n`;
const contentType = `multipart/form-data; boundary=${boundary}`;

/** A form with one file, as bytes. */
export function multipart(name: string, bytes: Buffer): { body: Buffer; contentType: string } {
  return { body: Buffer.concat([Buffer.from(head(name, {})), bytes, Buffer.from(tail)]), contentType };
}

/** Sends a file to /v1/files in portions, without keeping it in memory. @returns its id */
export async function sendFile(
  service: Service,
  name: string,
  bytes: number,
  portions: Iterable<Buffer>,
): Promise<string> {
  const before = head(name, { purpose: "assistants" });
  const outgoing = request(`${service.url}/v1/files`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${service.key}`,
      "content-type": contentType,
      "content-length": before.length + bytes + tail.length,
    },
  });
  const answered = once(outgoing, "response") as Promise<[IncomingMessage]>;
  outgoing.write(before);
  for (const portion of portions) {
    if (!outgoing.write(portion)) await Promise.race([once(outgoing, "drain"), answered]);
  }
  outgoing.end(tail);
  const [incoming] = await answered;
  let text = "";
  for await (const part of incoming.setEncoding("utf8")) text += String(part);
  if (incoming.statusCode !== 200) throw new Error(`the file was not taken: ${text.slice(0, 300)}`);
  return (JSON.parse(text) as { id: string }).id;
}
