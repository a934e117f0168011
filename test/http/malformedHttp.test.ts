import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { createServer } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { renderClientError } from "../../src/http/middleware/renderError.js";

const server = createServer();
server.on("clientError", renderClientError);
beforeAll(() => new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve)));
afterAll(() => new Promise((resolve) => server.close(resolve)));

/** Everything the server answers to raw bytes. */
const answerTo = (bytes: string) =>
  new Promise<string>((resolve, reject) => {
    const socket = connect((server.address() as AddressInfo).port, "127.0.0.1");
    let answer = "";
    socket.setEncoding("utf8").on("data", (text: string) => (answer += text));
    socket.once("error", reject).once("close", () => {
      resolve(answer);
    });
    socket.write(bytes);
  });

test.each([
  ["a request that is not HTTP", "HELLO THERE\r\n\r\n", 400, "The request is not valid HTTP."],
  [
    "headers over Node's limit",
    `GET / HTTP/1.1\r\nHost: x\r\nX-Long: ${"x".repeat(20_000)}\r\n\r\n`,
    431,
    "larger than 16 KB",
  ],
])("%s is answered in OpenAI's error shape too", async (_, bytes, status, message) => {
  const answer = await answerTo(bytes);
  expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
  expect(JSON.parse(answer.slice(answer.indexOf("\r\n\r\n")))).toEqual({
    error: {
      message: expect.stringContaining(message),
      type: "invalid_request_error",
      param: null,
      code: "bad_request",
    },
  });
});
