// The life of a job as a user of BullMQ would write it. Speaks with the bench over its pipes: `ready`, go, `done`, check, `checked`.
//
// usage: node life.js PORT JOBS AT_ONCE

import { createInterface } from "node:readline";
import { Job, Queue, Worker } from "bullmq";

const [port, jobs, atOnce] = process.argv.slice(2).map(Number);
const connection = { host: "127.0.0.1", port, maxRetriesPerRequest: null };
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const queue = new Queue("calls", { connection });
const runs = new Map();
let completed = 0;
let allDone;
const finished = new Promise((resolve) => (allDone = resolve));

async function call(job) {
  runs.set(job.id, (runs.get(job.id) ?? 0) + 1);
  const sid = `CA${job.id.padStart(32, "0")}`;
  await job.updateData({ ...job.data, sid });
  for (const status of ["initiated", "ringing", "in-progress"]) await job.updateProgress({ status });
  const answer = { key: "day_pass_price", amount: "15.00", currency: "USD", quote: "a day pass is 15 dollars", from_ms: 4000, to_ms: 5000 };
  await job.updateData({ ...job.data, answers: [answer] });
  await job.updateProgress({ status: "completed" });
  return { disposition: "answered_full", ended_reason: "agent_hangup", answered_by: "human" };
}

const worker = new Worker("calls", call, { connection, concurrency: atOnce });
worker.on("completed", () => {
  completed += 1;
  if (completed === jobs) allDone();
});
worker.on("failed", (job, error) => fail(`job ${job?.id} failed: ${error}`));
worker.on("error", (error) => fail(`the worker: ${error}`));
await Promise.all([queue.waitUntilReady(), worker.waitUntilReady()]);

console.log("ready");
await lines.next();
let next = 0;
const clients = Array.from({ length: atOnce }, async () => {
  while (next < jobs) {
    next += 1;
    const phone_number = `+1212${String(next).padStart(7, "0")}`;
    await queue.add("call", { phone_number, gym_name: "" }, { jobId: `${next}0000000-job` });
  }
});
await Promise.all(clients);
await finished;
console.log("done");

await lines.next();
for (const [id, times] of runs) {
  const job = await Job.fromId(queue, id);
  const whole =
    times === 1 &&
    (await job.isCompleted()) &&
    job.progress.status === "completed" &&
    job.data.sid !== undefined &&
    job.data.answers.length === 1 &&
    job.returnvalue.disposition === "answered_full";
  if (!whole) fail(`job ${id} ran ${times} times and is ${JSON.stringify(job)}`);
}
console.log(`checked ${runs.size}`);
process.exit(0);

function fail(why) {
  console.error(why);
  process.exit(1);
}
