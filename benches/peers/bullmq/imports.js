// A CSV of gyms to durable jobs, as a user of csv-parse, libphonenumber-js and BullMQ would write it. Speaks with the bench over its
// pipes: `ready`, go, `done`, check, `checked`.
//
// usage: node imports.js PORT FILE

import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import { Queue } from "bullmq";
import { parse } from "csv-parse";
import { parsePhoneNumberFromString } from "libphonenumber-js/max";

const [port, file] = [Number(process.argv[2]), process.argv[3]];
const BATCH = 500;
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const queue = new Queue("calls", { connection: { host: "127.0.0.1", port, maxRetriesPerRequest: null } });
await queue.waitUntilReady();

console.log("ready");
await lines.next();
const seen = new Set();
let batch = [];
for await (const gym of createReadStream(file).pipe(parse({ columns: true, bom: true }))) {
  const number = parsePhoneNumberFromString(gym.phone_number, gym.country);
  if (!number?.isValid() || seen.has(number.number)) continue;
  seen.add(number.number);
  batch.push({ name: "call", data: { ...gym, phone_number: number.number } });
  if (batch.length === BATCH) {
    await queue.addBulk(batch);
    batch = [];
  }
}
if (batch.length > 0) await queue.addBulk(batch);
console.log("done");

await lines.next();
console.log(`checked ${await queue.getWaitingCount()}`);
process.exit(0);
