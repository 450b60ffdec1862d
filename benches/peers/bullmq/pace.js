// One of several workers that keep a pace together, by BullMQ's own limiter, which all workers of a queue share.
//
// usage: node pace.js add PORT JOBS | node pace.js work PORT PER_SECOND FAR_PORT

import { request } from "node:http";
import { Queue, Worker } from "bullmq";

const [role, port, number, farPort] = [process.argv[2], ...process.argv.slice(3).map(Number)];
const connection = { host: "127.0.0.1", port, maxRetriesPerRequest: null };

if (role === "add") {
  const queue = new Queue("calls", { connection });
  const jobs = Array.from({ length: number }, (_, job) => ({ name: "call", data: { job } }));
  while (jobs.length > 0) await queue.addBulk(jobs.splice(0, 500));
  console.log("done");
  process.exit(0);
}

function place(job) {
  return new Promise((resolve, reject) => {
    const post = { host: "127.0.0.1", port: farPort, method: "POST", path: "/calls", agent: false };
    const placing = request(post, (reply) => reply.resume().on("end", resolve));
    placing.on("error", reject).end(`To=${job.data.job}`);
  });
}

const limiter = { max: number, duration: 1000 };
const worker = new Worker("calls", place, { connection, concurrency: 64, limiter });
worker.on("error", (error) => console.error(error));
await worker.waitUntilReady();
console.log("ready");
process.stdin.on("end", () => process.exit(0)).resume();
