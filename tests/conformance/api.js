// The REST API, as the official Node library sees it.

import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import twilio from "twilio";
import { check, equal, part } from "./checks.js";

const { TWILIO_URL: URL_, TWILIO_SID: SID, TWILIO_TOKEN: TOKEN, APP_URL: APP } = process.env;
const FROM = "+15005550006", TALKER = "+14155560101", BUSY = "+14155560102", RINGER = "+14155560103";
const NOWHERE = "http://127.0.0.1:9/voice";
const WAIT = "<Response><Pause length='60'/></Response>";
const zeros = (prefix, last) => prefix + "0".repeat(31) + last;

function clientOf(user, password, options = {}) {
  const client = twilio(user, password, options);
  for (const domain of [client.api, client.voice, client.pricing]) domain.baseUrl = URL_;
  return client;
}

const client = clientOf(SID, TOKEN);

// The call once it has one of these statuses.
async function until(call, ...statuses) {
  const end = Date.now() + 20000;
  for (;;) {
    call = await client.calls(call.sid).fetch();
    if (statuses.includes(call.status)) return call;
    if (Date.now() > end) throw new Error(`${call.sid} is ${call.status}, not ${statuses}`);
    await sleep(20);
  }
}

async function refused(name, code, status, action) {
  try {
    await action();
  } catch (error) {
    equal(`${name}: its code and status`, [error.code, error.status], [code, status]);
    return;
  }
  check(`${name}: is refused`, false, "nothing was thrown");
}

async function create() {
  const call = await client.calls.create({
    to: BUSY, from: FROM, url: NOWHERE, method: "GET", fallbackUrl: NOWHERE, fallbackMethod: "GET",
    statusCallback: NOWHERE, statusCallbackMethod: "GET",
    statusCallbackEvent: ["initiated", "ringing", "answered", "completed"],
    timeout: 20, timeLimit: 600, record: true, recordingChannels: "dual", recordingTrack: "both",
    recordingStatusCallback: NOWHERE, recordingStatusCallbackMethod: "GET",
    recordingStatusCallbackEvent: ["in-progress", "completed", "absent"], trim: "do-not-trim",
    machineDetection: "DetectMessageEnd", machineDetectionTimeout: 3, machineDetectionSpeechThreshold: 1000,
    machineDetectionSpeechEndThreshold: 500, machineDetectionSilenceTimeout: 2000,
    asyncAmd: "true", asyncAmdStatusCallback: NOWHERE, asyncAmdStatusCallbackMethod: "GET",
    callerId: FROM, callReason: "a question", callToken: "opaque", byoc: "BY" + "0".repeat(32),
    clientNotificationUrl: NOWHERE, sipAuthUsername: "anna", sipAuthPassword: "secret",
  });
  check("create: a SID", /^CA[0-9a-f]{32}$/.test(call.sid), call.sid);
  equal("create: queued", call.status, "queued");
  equal("create: the numbers", [call.to, call.from], [BUSY, FROM]);
  equal("create: formatted", [call.toFormatted, call.fromFormatted], ["(415) 556-0102", "(500) 555-0006"]);
  equal("create: direction", call.direction, "outbound-api");
  equal("create: account", call.accountSid, SID);
  check("create: a date", Math.abs(Date.now() - call.dateCreated) < 5000, call.dateCreated);
  check("create: not started", call.startTime === null && call.endTime === null && call.price === null);
  check("create: queueTime", /^\d+$/.test(call.queueTime), call.queueTime);
  check("create: its number's SID", call.phoneNumberSid.startsWith("PN"), call.phoneNumberSid);
  equal("create: nine parts", Object.keys(call.subresourceUris).length, 9);
  const busy = await until(call, "busy");
  check("create: ended", busy.endTime !== null && busy.duration === null, JSON.stringify(busy));
  const simple = { to: BUSY, from: FROM };
  equal("create: by an application", (await client.calls.create({ ...simple, applicationSid: zeros("AP", 4) })).status, "queued");
  equal("create: with digits", (await client.calls.create({ ...simple, url: NOWHERE, sendDigits: "wW12#" })).status, "queued");
  equal("create: to SIP", (await client.calls.create({ ...simple, to: "sip:gym@example.com", twiml: "<Response/>" })).to, "sip:gym@example.com");
}

async function walk() {
  const to = "+14155560112";
  const before = new Date(Date.now() - 2000);
  const sids = [];
  for (let n = 0; n < 6; n++) sids.unshift((await client.calls.create({ to, from: FROM, url: NOWHERE })).sid);
  const sidsOf = (calls) => calls.map((call) => call.sid);
  const listed = await client.calls.list({ to, pageSize: 2 });
  equal("list: three pages", sidsOf(listed), sids);
  equal("list: with a limit", (await client.calls.list({ to, pageSize: 2, limit: 3 })).length, 3);
  const each = [];
  await new Promise((resolve, reject) =>
    client.calls.each({ to, pageSize: 2, callback: (call) => each.push(call), done: (error) => (error ? reject(error) : resolve()) }));
  equal("list: each", sidsOf(each), sids);
  const first = await client.calls.page({ to, pageSize: 2 });
  const second = await first.nextPage();
  check("list: the next page is another", second.instances[0].sid !== first.instances[0].sid);
  const back = await second.previousPage();
  equal("list: the page before", back.instances.map((call) => call.sid), first.instances.map((call) => call.sid));
  const again = await client.calls.getPage(second.instances.length ? first.nextPageUrl : "");
  equal("list: a page by its URL", again.instances.map((call) => call.sid), second.instances.map((call) => call.sid));
  for (const sid of sids) await until({ sid }, "busy");
  const count = async (filters) => sidsOf(await client.calls.list({ to, ...filters })).length;
  equal("list: by status", [await count({ status: "busy" }), await count({ status: "completed" })], [6, 0]);
  equal("list: by from", [await count({ from: FROM }), await count({ from: "+15005550007" })], [6, 0]);
  equal("list: by parent", await count({ parentCallSid: zeros("CA", 0) }), 0);
  equal("list: started after an instant", [await count({ startTimeAfter: before }), await count({ startTimeBefore: before })], [6, 0]);
  equal("list: ended on a day", [await count({ endTime: new Date() }), await count({ endTimeAfter: new Date(Date.now() + 3600000) })], [6, 0]);
  await refused("list: a page of 1001", 20007, 400, () => client.calls.page({ pageSize: 1001 }));
}

async function change() {
  const call = await until(await client.calls.create({ to: TALKER, from: FROM, twiml: WAIT }), "in-progress");
  const one = client.calls(call.sid);
  await refused("update: cancel a live call", 21220, 400, () => one.update({ status: "canceled" }));
  await refused("update: an unknown status", 20001, 400, () => one.update({ status: "ringing" }));
  await refused("delete: a live call", 20009, 409, () => one.remove());
  equal("update: new TwiML", (await one.update({ twiml: WAIT })).status, "in-progress");
  equal("update: callbacks and limit",
    (await one.update({ statusCallback: NOWHERE, fallbackUrl: NOWHERE, timeLimit: 300 })).status, "in-progress");
  await refused("update: URL and TwiML", 21205, 400, () => one.update({ url: NOWHERE, twiml: WAIT }));
  equal("update: hang up", (await one.update({ status: "completed" })).status, "completed");
  await refused("update: redirect what is over", 21220, 400, () => one.update({ twiml: WAIT }));
  await sleep(300); // the account's price_after_s
  const over = await one.fetch();
  check("fetch: a price", over.price.startsWith("-0.0") && over.priceUnit === "USD", over.price);
  check("fetch: a duration", /^\d+$/.test(over.duration), over.duration);
  equal("delete: done", await one.remove(), true);
  await refused("fetch: what was deleted", 20404, 404, () => one.fetch());
  const ringing = await until(await client.calls.create({ to: RINGER, from: FROM, url: NOWHERE }), "ringing");
  equal("update: cancel a ringing call", (await client.calls(ringing.sid).update({ status: "canceled" })).status, "canceled");
}

async function record() {
  const call = await until(await client.calls.create({ to: TALKER, from: FROM, twiml: WAIT }), "in-progress");
  const of = client.calls(call.sid).recordings;
  const recording = await of.create({ recordingChannels: "dual", recordingTrack: "both", trim: "do-not-trim" });
  equal("recordings: started", [recording.status, Number(recording.channels), recording.source, recording.callSid],
    ["in-progress", 2, "StartCallRecordingAPI", call.sid]);
  const one = client.calls(call.sid).recordings(recording.sid);
  equal("recordings: paused", (await one.update({ status: "paused", pauseBehavior: "skip" })).status, "paused");
  equal("recordings: resumed",
    (await client.calls(call.sid).recordings("Twilio.CURRENT").update({ status: "in-progress" })).status, "in-progress");
  await sleep(1000); // something to keep
  equal("recordings: stopped", (await one.update({ status: "stopped" })).status, "completed");
  await refused("recordings: paused when over", 21220, 400, () => one.update({ status: "paused" }));
  equal("recordings: of the call", (await of.list()).map((it) => it.sid), [recording.sid]);
  check("recordings: of the account", (await client.recordings.list({ callSid: call.sid })).some((it) => it.sid === recording.sid));
  check("recordings: a duration", Number((await client.recordings(recording.sid).fetch()).duration) >= 1);
  const authorization = "Basic " + Buffer.from(`${SID}:${TOKEN}`).toString("base64");
  for (const [ending, status] of [["", 200], [".wav", 200], [".mp3", 404]]) {
    const media = `${URL_}/2010-04-01/Accounts/${SID}/Recordings/${recording.sid}${ending}`;
    equal(`recordings: sound at ${ending || "no ending"}`, (await fetch(media, { headers: { authorization } })).status, status);
  }
  equal("recordings: deleted", await client.recordings(recording.sid).remove(), true);
  await refused("recordings: gone", 20404, 404, () => client.recordings(recording.sid).fetch());
  await client.calls(call.sid).update({ status: "completed" });
  await refused("recordings: of a call that is over", 21220, 400, () => of.create());
}

async function lookBack() {
  const call = await client.calls.create({ to: TALKER, from: FROM, url: APP + "/broken", statusCallback: APP + "/status" });
  await until(call, "completed");
  let events = [];
  for (const end = Date.now() + 5000; events.length < 2 && Date.now() < end; await sleep(20)) {
    events = await client.calls(call.sid).events.list();
  }
  check("events: the request for TwiML",
    events[0].request.url === APP + "/broken" && events[0].request.parameters.CallSid === call.sid, JSON.stringify(events));
  equal("events: its response", events[0].response.response_code, 500);
  const noted = await client.calls(call.sid).notifications.list();
  check("notifications: of the call", noted[0]?.errorCode === "11200" && noted[0]?.log === "0", JSON.stringify(noted));
  const one = await client.calls(call.sid).notifications(noted[0].sid).fetch();
  equal("notifications: with its request", [one.requestUrl, one.requestMethod, one.callSid], [APP + "/broken", "POST", call.sid]);
  check("notifications: of the account", (await client.api.notifications.list({ log: 0 })).some((it) => it.sid === noted[0].sid));
  equal("notifications: none before", await client.api.notifications.list({ messageDateBefore: new Date("2020-01-01") }), []);
  const odd = await client.calls.create({
    to: BUSY, from: FROM, url: NOWHERE, statusCallback: NOWHERE, statusCallbackEvent: ["initiated ringing"] });
  equal("notifications: several events in one value",
    (await client.calls(odd.sid).notifications.list()).map((it) => it.errorCode), ["21626"]);
}

async function stream() {
  const call = await until(await client.calls.create({ to: TALKER, from: FROM, twiml: WAIT }), "in-progress");
  const started = await client.calls(call.sid).streams.create({
    url: APP.replace("http", "ws") + "/listen", name: "ear", track: "both_tracks", statusCallback: APP + "/stream-status",
    "parameter1.name": "who", "parameter1.value": "node" });
  check("streams: started", started.sid.startsWith("MZ") && started.status === "in-progress", JSON.stringify(started));
  equal("streams: stopped", (await client.calls(call.sid).streams(started.sid).update({ status: "stopped" })).status, "stopped");
  await refused("streams: an unknown one", 20404, 404, () => client.calls(call.sid).streams(zeros("MZ", 0)).update({ status: "stopped" }));
  await client.calls(call.sid).update({ status: "completed" });
  await refused("streams: of a call that is over", 21220, 400, () => client.calls(call.sid).streams.create({ url: "wss://127.0.0.1/x" }));
}

async function errors() {
  for (const { code, status, params } of JSON.parse(readFileSync(new URL("errors.json", import.meta.url)))) {
    const options = { to: BUSY, from: FROM, url: NOWHERE };
    for (const [key, value] of Object.entries(params)) {
      options[key[0].toLowerCase() + key.slice(1)] = value === "256 characters" ? "x".repeat(256) : value;
    }
    await refused(`error ${code} for ${JSON.stringify(params)}`, code, status, () => client.calls.create(options));
  }
  const order = { to: "+14155560430", from: FROM, url: NOWHERE };
  await refused("429", 20429, 429, () => client.calls.create(order));
  equal("429: autoRetry gets through", (await clientOf(SID, TOKEN, { autoRetry: true }).calls.create(order)).status, "queued");
  await refused("error 20404", 20404, 404, () => client.calls(zeros("CA", 0)).fetch());
  await refused("another account", 20404, 404, () => client.api.accounts("AC" + "9".repeat(32)).fetch());
}

async function credentials() {
  for (const [name, user, password] of [["a key", zeros("SK", 3), "the secret of the key"], ["the second token", SID, zeros("", 2)]]) {
    const other = clientOf(user, password, { accountSid: SID });
    equal(`${name} opens the API`, (await other.calls.create({ to: BUSY, from: FROM, url: NOWHERE })).status, "queued");
  }
  await refused("a wrong token", 20003, 401, () => clientOf(SID, "wrong").calls.list({ limit: 1 }));
  const tester = clientOf(zeros("AC", 5), zeros("", 6));
  equal("test credentials: pretend", (await tester.calls.create({ to: BUSY, from: FROM, url: NOWHERE })).accountSid, zeros("AC", 5));
  for (const [to, from, code] of [
    ["+15005550001", FROM, 21217], ["+15005550002", FROM, 21214], ["+15005550003", FROM, 21215], ["+15005550004", FROM, 21216],
    [BUSY, "+15005550001", 21212], [BUSY, "+15005550007", 21210],
  ]) {
    await refused(`test credentials: ${from} to ${to}`, code, 400, () => tester.calls.create({ to, from, url: NOWHERE }));
  }
  await refused("test credentials: another page", 20008, 403, () => tester.calls.list({ limit: 1 }));
}

async function account() {
  const it = await client.api.accounts(SID).fetch();
  equal("account", [it.sid, it.status, it.type, it.friendlyName], [SID, "active", "Full", "Conformance"]);
  equal("account: in the list", (await client.api.accounts.list()).map((one) => one.sid), [SID]);
  const balance = await client.balance.fetch();
  equal("balance", [balance.balance, balance.currency], ["12.50", "USD"]);
  const numbers = await client.incomingPhoneNumbers.list({ phoneNumber: FROM });
  equal("own numbers", numbers.map((one) => [one.phoneNumber, one.capabilities.voice]), [[FROM, true]]);
  equal("an own number", (await client.incomingPhoneNumbers(numbers[0].sid).fetch()).phoneNumber, FROM);
  equal("verified numbers", (await client.outgoingCallerIds.list()).map((one) => one.phoneNumber), ["+14155550199"]);
  const permissions = client.voice.v1.dialingPermissions.countries;
  const enabled = async (iso) => (await permissions(iso).fetch()).lowRiskNumbersEnabled;
  equal("permission for the US and for Germany", [await enabled("US"), await enabled("DE")], [true, false]);
  check("permissions: listed", (await permissions.list()).some((one) => one.isoCode === "DE"));
  const price = await client.pricing.v2.voice.numbers("+14155550101").fetch({ originationNumber: FROM });
  equal("a price", [price.isoCountry, price.priceUnit, price.outboundCallPrices[0].currentPrice], ["US", "USD", "0.0140"]);
}

for (const run of [create, walk, change, record, lookBack, stream, errors, credentials, account]) await part(run.name, run);
