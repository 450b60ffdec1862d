// Signed webhooks to durable state, as a user of Fastify and ioredis would write it.
//
// usage: PORT=… REDIS_PORT=… AUTH_TOKEN=… node webhooks.js

import { createHmac, timingSafeEqual } from "node:crypto";
import formbody from "@fastify/formbody";
import Fastify from "fastify";
import { Redis } from "ioredis";

const port = Number(process.env.PORT);
const redis = new Redis({ host: "127.0.0.1", port: Number(process.env.REDIS_PORT), enableAutoPipelining: true });
// The state goes forward only, and what came is kept.
redis.defineCommand("update", {
  numberOfKeys: 2,
  lua: `
    local known = tonumber(redis.call('HGET', KEYS[1], 'sequence') or -1)
    redis.call('RPUSH', KEYS[2], ARGV[3])
    if tonumber(ARGV[1]) <= known then return 0 end
    redis.call('HSET', KEYS[1], 'sequence', ARGV[1], 'status', ARGV[2])
    return 1
  `,
});

function isSigned(url, form, signature) {
  const signed = Object.keys(form).sort().reduce((text, name) => text + name + form[name], url);
  const right = createHmac("sha1", process.env.AUTH_TOKEN).update(signed).digest("base64");
  return right.length === signature.length && timingSafeEqual(Buffer.from(right), Buffer.from(signature));
}

const app = Fastify();
await app.register(formbody);
app.post("/v1/twilio/status", async (request, reply) => {
  const form = request.body;
  if (!isSigned(`http://localhost:${port}${request.url}`, form, request.headers["x-twilio-signature"] ?? "")) {
    return reply.code(403).send();
  }
  await redis.update(`call:${form.CallSid}`, `log:${form.CallSid}`, form.SequenceNumber, form.CallStatus, JSON.stringify(form));
  return reply.code(200).send();
});
await app.listen({ host: "127.0.0.1", port });
