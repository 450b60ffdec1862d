"""The REST API, as the official Python library sees it."""

import json
import os
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path

import requests
from twilio.base.exceptions import TwilioException, TwilioRestException
from twilio.rest import Client

from checks import check, equal, part

HERE = Path(__file__).parent
URL, SID, TOKEN, APP = (os.environ[name] for name in ("TWILIO_URL", "TWILIO_SID", "TWILIO_TOKEN", "APP_URL"))
FROM, TALKER, BUSY, RINGER = "+15005550006", "+14155560101", "+14155560102", "+14155560103"
NOWHERE = "http://127.0.0.1:9/voice"
WAIT = "<Response><Pause length='60'/></Response>"


def client_of(user, password, account=None):
    client = Client(user, password, account)
    for domain in (client.api, client.voice, client.pricing):
        domain.base_url = URL
    return client


client = client_of(SID, TOKEN)


def until(call, *statuses):
    """The call once it has one of these statuses."""
    end = time.monotonic() + 20
    while time.monotonic() < end:
        call = client.calls(call.sid).fetch()
        if call.status in statuses:
            return call
        time.sleep(0.02)
    raise TimeoutError(f"{call.sid} is {call.status}, not {statuses}")


def refused(name, code, status, action):
    try:
        action()
    except TwilioRestException as error:
        equal(f"{name}: its code and status", (error.code, error.status), (code, status))
    except TwilioException as error:
        # Of a page that is refused the library raises the response as it came.
        response = error.args[1]
        equal(f"{name}: its code and status", (json.loads(response.text)["code"], response.status_code), (code, status))
    else:
        check(f"{name}: is refused", False, "nothing was raised")


def create():
    call = client.calls.create(
        to=BUSY, from_=FROM, url=NOWHERE, method="GET", fallback_url=NOWHERE, fallback_method="GET",
        status_callback=NOWHERE, status_callback_method="GET",
        status_callback_event=["initiated", "ringing", "answered", "completed"],
        timeout=20, time_limit=600, record=True, recording_channels="dual", recording_track="both",
        recording_status_callback=NOWHERE, recording_status_callback_method="GET",
        recording_status_callback_event=["in-progress", "completed", "absent"], trim="do-not-trim",
        machine_detection="DetectMessageEnd", machine_detection_timeout=3, machine_detection_speech_threshold=1000,
        machine_detection_speech_end_threshold=500, machine_detection_silence_timeout=2000,
        async_amd="true", async_amd_status_callback=NOWHERE, async_amd_status_callback_method="GET",
        caller_id=FROM, call_reason="a question", call_token="opaque", byoc="BY" + "0" * 32,
        client_notification_url=NOWHERE, sip_auth_username="anna", sip_auth_password="secret",
    )
    check("create: a SID", call.sid.startswith("CA") and len(call.sid) == 34, call.sid)
    equal("create: queued", call.status, "queued")
    equal("create: the numbers", (call.to, call._from), (BUSY, FROM))
    equal("create: formatted", (call.to_formatted, call.from_formatted), ("(415) 556-0102", "(500) 555-0006"))
    equal("create: direction", call.direction, "outbound-api")
    equal("create: account", call.account_sid, SID)
    age = datetime.now(timezone.utc) - call.date_created
    check("create: a date", abs(age) < timedelta(seconds=5), age)
    check("create: not started", call.start_time is None and call.end_time is None and call.price is None)
    check("create: queue_time", call.queue_time.isdigit(), call.queue_time)
    check("create: its number's SID", call.phone_number_sid.startswith("PN"), call.phone_number_sid)
    equal("create: nine parts", len(call.subresource_uris), 9)
    busy = until(call, "busy")
    check("create: ended", busy.end_time is not None and busy.duration is None, vars(busy))
    equal("create: by an application",
          client.calls.create(to=BUSY, from_=FROM, application_sid="AP" + "0" * 31 + "4").status, "queued")
    equal("create: with digits", client.calls.create(to=BUSY, from_=FROM, url=NOWHERE, send_digits="wW12#").status, "queued")
    equal("create: to SIP", client.calls.create(to="sip:gym@example.com", from_=FROM, twiml="<Response/>").to, "sip:gym@example.com")


def walk():
    number = "+14155560122"
    before = datetime.now(timezone.utc) - timedelta(seconds=2)
    sids = [client.calls.create(to=number, from_=FROM, url=NOWHERE).sid for _ in range(6)]
    sids.reverse()
    equal("list: three pages", [call.sid for call in client.calls.list(to=number, page_size=2)], sids)
    equal("list: streamed with a limit", len(list(client.calls.stream(to=number, page_size=2, limit=3))), 3)
    page = client.calls.page(to=number, page_size=2)
    equal("list: the first page", [call.sid for call in page], sids[:2])
    second = page.next_page()
    equal("list: the next page", [call.sid for call in second], sids[2:4])
    third = second.next_page()
    equal("list: the last page", ([call.sid for call in third], third.next_page()), (sids[4:], None))
    equal("list: the page before", [call.sid for call in third.previous_page()], sids[2:4])
    equal("list: a page by its URL", [call.sid for call in client.calls.get_page(page.next_page_url)], sids[2:4])
    for sid in sids:
        until(client.calls(sid).fetch(), "busy")
    count = lambda **filters: len(client.calls.list(to=number, **filters))
    equal("list: by status", (count(status="busy"), count(status="completed")), (6, 0))
    equal("list: by from", (count(from_=FROM), count(from_="+15005550007")), (6, 0))
    equal("list: by parent", count(parent_call_sid="CA" + "0" * 32), 0)
    day = datetime.now(timezone.utc).date()
    equal("list: started after an instant", (count(start_time_after=before), count(start_time_before=before)), (6, 0))
    equal("list: ended on a day", (count(end_time=day), count(end_time_before=day), count(end_time_after=day)), (6, 0, 6))
    refused("list: a page of 1001", 20007, 400, lambda: client.calls.page(page_size=1001))


def change():
    call = until(client.calls.create(to=TALKER, from_=FROM, twiml=WAIT), "in-progress")
    refused("update: cancel a live call", 21220, 400, lambda: client.calls(call.sid).update(status="canceled"))
    refused("update: an unknown status", 20001, 400, lambda: client.calls(call.sid).update(status="ringing"))
    refused("delete: a live call", 20009, 409, lambda: client.calls(call.sid).delete())
    equal("update: new TwiML", client.calls(call.sid).update(twiml=WAIT).status, "in-progress")
    equal("update: callbacks and limit", client.calls(call.sid).update(
        status_callback=NOWHERE, fallback_url=NOWHERE, time_limit=300).status, "in-progress")
    refused("update: URL and TwiML", 21205, 400, lambda: client.calls(call.sid).update(url=NOWHERE, twiml=WAIT))
    equal("update: hang up", client.calls(call.sid).update(status="completed").status, "completed")
    refused("update: redirect what is over", 21220, 400, lambda: client.calls(call.sid).update(twiml=WAIT))
    time.sleep(0.3)  # the account's price_after_s
    over = client.calls(call.sid).fetch()
    check("fetch: a price", over.price.startswith("-0.0") and over.price_unit == "USD", over.price)
    check("fetch: a duration", over.duration.isdigit(), over.duration)
    equal("delete: done", client.calls(call.sid).delete(), True)
    refused("fetch: what was deleted", 20404, 404, lambda: client.calls(call.sid).fetch())
    ringing = until(client.calls.create(to=RINGER, from_=FROM, url=NOWHERE), "ringing")
    equal("update: cancel a ringing call", client.calls(ringing.sid).update(status="canceled").status, "canceled")


def record():
    call = until(client.calls.create(to=TALKER, from_=FROM, twiml=WAIT), "in-progress")
    recording = client.calls(call.sid).recordings.create(recording_channels="dual", recording_track="both", trim="do-not-trim")
    equal("recordings: started", (recording.status, recording.channels, recording.source, recording.call_sid),
          ("in-progress", "2" if isinstance(recording.channels, str) else 2, "StartCallRecordingAPI", call.sid))
    one = client.calls(call.sid).recordings(recording.sid)
    equal("recordings: paused", one.update(status="paused", pause_behavior="skip").status, "paused")
    equal("recordings: resumed", client.calls(call.sid).recordings("Twilio.CURRENT").update(status="in-progress").status, "in-progress")
    time.sleep(1)  # something to keep
    equal("recordings: stopped", one.update(status="stopped").status, "completed")
    refused("recordings: paused when over", 21220, 400, lambda: one.update(status="paused"))
    equal("recordings: of the call", [it.sid for it in client.calls(call.sid).recordings.list()], [recording.sid])
    check("recordings: of the account", recording.sid in [it.sid for it in client.recordings.list(call_sid=call.sid)])
    fetched = client.recordings(recording.sid).fetch()
    check("recordings: a duration", int(fetched.duration) >= 1, fetched.duration)
    media = f"{URL}/2010-04-01/Accounts/{SID}/Recordings/{recording.sid}"
    for ending in ("", ".wav"):
        sound = requests.get(media + ending, auth=(SID, TOKEN), timeout=10)
        check(f"recordings: sound at {ending or 'no ending'}", sound.status_code == 200 and sound.content[:4] == b"RIFF", sound.status_code)
    equal("recordings: no mp3, and it says so", requests.get(media + ".mp3", auth=(SID, TOKEN), timeout=10).status_code, 404)
    equal("recordings: deleted", client.recordings(recording.sid).delete(), True)
    refused("recordings: gone", 20404, 404, lambda: client.recordings(recording.sid).fetch())
    client.calls(call.sid).update(status="completed")
    refused("recordings: of a call that is over", 21220, 400, lambda: client.calls(call.sid).recordings.create())


def look_back():
    call = client.calls.create(to=TALKER, from_=FROM, url=APP + "/broken", status_callback=APP + "/status")
    until(call, "completed")
    end = time.monotonic() + 5
    while len(events := client.calls(call.sid).events.list()) < 2 and time.monotonic() < end:
        time.sleep(0.02)
    check("events: the request for TwiML", events[0].request["url"] == APP + "/broken" and events[0].request["parameters"]["CallSid"] == call.sid, events)
    equal("events: its response", events[0].response["response_code"], 500)
    noted = client.calls(call.sid).notifications.list()
    check("notifications: of the call", noted and noted[0].error_code == "11200" and noted[0].log == "0", noted)
    one = client.calls(call.sid).notifications(noted[0].sid).fetch()
    equal("notifications: with its request", (one.request_url, one.request_method, one.call_sid), (APP + "/broken", "POST", call.sid))
    check("notifications: of the account", noted[0].sid in [it.sid for it in client.notifications.list(log=0)])
    equal("notifications: none before", client.notifications.list(message_date_before=datetime(2020, 1, 1).date()), [])
    odd = client.calls.create(to=BUSY, from_=FROM, url=NOWHERE, status_callback=NOWHERE, status_callback_event=["initiated ringing"])
    equal("notifications: several events in one value", [it.error_code for it in client.calls(odd.sid).notifications.list()], ["21626"])


def stream():
    call = until(client.calls.create(to=TALKER, from_=FROM, twiml=WAIT), "in-progress")
    started = client.calls(call.sid).streams.create(
        url=APP.replace("http", "ws", 1) + "/listen", name="ear", track="both_tracks", status_callback=APP + "/stream-status",
        parameter1_name="who", parameter1_value="python")
    check("streams: started", started.sid.startswith("MZ") and started.status == "in-progress", vars(started))
    equal("streams: stopped", client.calls(call.sid).streams(started.sid).update(status="stopped").status, "stopped")
    refused("streams: an unknown one", 20404, 404, lambda: client.calls(call.sid).streams("MZ" + "0" * 32).update(status="stopped"))
    client.calls(call.sid).update(status="completed")
    refused("streams: of a call that is over", 21220, 400, lambda: client.calls(call.sid).streams.create(url="wss://127.0.0.1/x"))


def errors():
    names = {"To": "to", "From": "from_", "Url": "url", "SendDigits": "send_digits", "Timeout": "timeout", "Method": "method",
             "ApplicationSid": "application_sid", "SipAuthUsername": "sip_auth_username", "SipAuthPassword": "sip_auth_password",
             "MachineDetection": "machine_detection", "MachineDetectionTimeout": "machine_detection_timeout"}
    for case in json.loads((HERE / "errors.json").read_text()):
        params = {"to": BUSY, "from_": FROM, "url": NOWHERE}
        params |= {names[key]: "x" * 256 if value == "256 characters" else value for key, value in case["params"].items()}
        refused(f"error {case['code']} for {case['params']}", case["code"], case["status"], lambda: client.calls.create(**params))
    refused("429", 20429, 429, lambda: client.calls.create(to="+14155560429", from_=FROM, url=NOWHERE))
    refused("error 20404", 20404, 404, lambda: client.calls("CA" + "0" * 32).fetch())
    refused("another account", 20404, 404, lambda: client.api.accounts("AC" + "9" * 32).fetch())


def credentials():
    for name, user, password in [("a key", "SK" + "0" * 31 + "3", "the secret of the key"), ("the second token", SID, "0" * 31 + "2")]:
        other = client_of(user, password, SID)
        equal(f"{name} opens the API", other.calls.create(to=BUSY, from_=FROM, url=NOWHERE).status, "queued")
    refused("a wrong token", 20003, 401, lambda: client_of(SID, "wrong").calls.list(limit=1))
    tester = client_of("AC" + "0" * 31 + "5", "0" * 31 + "6")
    equal("test credentials: pretend", tester.calls.create(to=BUSY, from_=FROM, url=NOWHERE).account_sid, "AC" + "0" * 31 + "5")
    for to, code in [("+15005550001", 21217), ("+15005550002", 21214), ("+15005550003", 21215), ("+15005550004", 21216)]:
        refused(f"test credentials: to {to}", code, 400, lambda: tester.calls.create(to=to, from_=FROM, url=NOWHERE))
    for caller, code in [("+15005550001", 21212), ("+15005550007", 21210)]:
        refused(f"test credentials: from {caller}", code, 400, lambda: tester.calls.create(to=BUSY, from_=caller, url=NOWHERE))
    refused("test credentials: another page", 20008, 403, lambda: tester.calls.list(limit=1))


def account():
    it = client.api.accounts(SID).fetch()
    equal("account", (it.sid, it.status, it.type, it.friendly_name), (SID, "active", "Full", "Conformance"))
    equal("account: in the list", [it.sid for it in client.api.accounts.list()], [SID])
    equal("balance", (client.balance.fetch().balance, client.balance.fetch().currency), ("12.50", "USD"))
    numbers = client.incoming_phone_numbers.list(phone_number=FROM)
    equal("own numbers", [(it.phone_number, it.capabilities["voice"]) for it in numbers], [(FROM, True)])
    equal("an own number", client.incoming_phone_numbers(numbers[0].sid).fetch().phone_number, FROM)
    equal("verified numbers", [it.phone_number for it in client.outgoing_caller_ids.list()], ["+14155550199"])
    permissions = client.voice.v1.dialing_permissions.countries
    equal("permission for the US and for Germany",
          [permissions(iso).fetch().low_risk_numbers_enabled for iso in ("US", "DE")], [True, False])
    check("permissions: listed", "DE" in [it.iso_code for it in permissions.list()])
    price = client.pricing.v2.voice.numbers("+14155550101").fetch(origination_number=FROM)
    equal("a price", (price.iso_country, price.price_unit, price.outbound_call_prices[0]["current_price"]), ("US", "USD", "0.0140"))


if __name__ == "__main__":
    for name, function in [("create", create), ("list", walk), ("update", change), ("recordings", record), ("events", look_back),
                           ("streams", stream), ("errors", errors), ("credentials", credentials), ("account", account)]:
        part(name, function)
