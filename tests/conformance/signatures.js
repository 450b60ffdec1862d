// Requests on standard input, one a line, as the webhooks' receivers kept them: every one must satisfy the Node library's
// validator, and none of them once a byte was changed.

import { createInterface } from "node:readline";
import twilio from "twilio";
import { check } from "./checks.js";

const token = process.env.TWILIO_TOKEN;
let seen = 0;
for await (const line of createInterface({ input: process.stdin })) {
  const { name, signature, url, params, changed } = JSON.parse(line);
  const valid = twilio.validateRequest(token, signature, url, params);
  check(`Node: ${name}`, valid !== changed, `${signature} for ${url} ${JSON.stringify(params)}`);
  seen += 1;
}
check("Node: requests to validate", seen > 0, "there were none");
