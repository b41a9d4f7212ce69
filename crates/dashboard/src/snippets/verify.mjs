import { createHmac, timingSafeEqual } from "node:crypto";

// Whether a request is genuine. The names of `headers` are in lower case, as node:http has them; `body` is a Buffer with what
// arrived, byte for byte.
export function verify(secret, headers, body) {
  const id = headers["webhook-id"];
  const timestamp = headers["webhook-timestamp"];
  const age = Math.abs(Date.now() / 1000 - Number(timestamp));
  if (!(age <= 300)) return false; // too old, or a clock is wrong
  const key = Buffer.from(secret.replace(/^whsec_/, ""), "base64");
  const mac = createHmac("sha256", key).update(`${id}.${timestamp}.`).update(body);
  const expected = Buffer.from(`v1,${mac.digest("base64")}`);
  // There are several while a secret is replaced.
  return String(headers["webhook-signature"]).split(" ").some((signature) => {
    const given = Buffer.from(signature);
    return given.length === expected.length && timingSafeEqual(given, expected);
  });
}
