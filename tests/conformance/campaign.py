"""A running gymcall calls gyms through the simulator; between the two stands a proxy that holds every webhook to the
official validators, and shows gymcall each kind with a byte changed, too."""

import asyncio
import os

from aiohttp import ClientSession, WSMsgType, web

from checks import check, equal
from webhooks import Listed, changes, params_of

GYMS = """gym_name,phone_number,timezone
Iron Temple,+14155550101,America/Los_Angeles
Voicemail Gym,+14155550106,America/Los_Angeles
Busy Gym,+14155550107,America/Los_Angeles
Two Replies Gym,+14155550111,America/Los_Angeles
"""
CAMPAIGN = {
    "name": "conformance",
    "questions": [{"key": "opening_hours", "ask": "What are your opening hours?", "type": "text"},
                  {"key": "day_pass_price", "ask": "How much is a day pass?", "type": "money"}],
    "policy": {"window": {"days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"], "from": "00:00", "to": "24:00", "allow_outside_hours": True},
               "max_attempts": 1, "calls_per_second": 10, "max_concurrent_calls": 10},
}


class Proxy:
    """What the simulator takes for gymcall."""

    def __init__(self, name, book, url, server):
        self.name, self.book, self.url, self.server = name, book, url, server
        self.shown = set()
        self.http = None

    def routes(self):
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self.pass_on)
        return app

    async def pass_on(self, request):
        if request.headers.get("Upgrade", "").lower() == "websocket":
            return await self.stream(request)
        body = await request.read()
        params = await params_of(request)
        signature = request.headers.get("X-Twilio-Signature", "")
        kind = f"{self.name}: {request.method} {request.path}"
        self.book.keep(kind, self.url + request.raw_path, params, signature)
        if request.path not in self.shown:
            self.shown.add(request.path)
            await self.show_changed(request, params, signature, kind)
        headers = {name: value for name, value in request.headers.items() if name not in ("Host", "Connection", "Content-Length")}
        async with self.http.request(request.method, self.server + request.raw_path, data=body, headers=headers) as reply:
            check(f"{kind} is accepted", 200 <= reply.status < 300, f"{reply.status} {await reply.text()}")
            return web.Response(status=reply.status, body=await reply.read(), content_type=reply.content_type)

    async def show_changed(self, request, params, signature, kind):
        """Our server must refuse what the libraries refuse."""
        for what, url, other, sign in changes(self.url + request.raw_path, params, signature):
            # Another path is another page. The byte is changed in the query instead, which is signed as well.
            path = url[len(self.url):] if what != "URL" else request.raw_path + ("&" if request.query_string else "?") + "x"
            form = [(name, value) for name in other for value in other[name]]
            valid = self.book.validator.validate(self.url + path, Listed(other), sign)
            async with self.http.post(self.server + path, data=form, headers={"X-Twilio-Signature": sign}) as reply:
                check(f"{kind} with another {what} is refused by both", reply.status == 403 and not valid, f"{reply.status} {valid}")

    async def stream(self, request):
        signature = request.headers.get("X-Twilio-Signature", "")
        kind = f"{self.name}: upgrade {request.path}"
        self.book.keep(kind, self.url.replace("http", "ws", 1) + request.raw_path, {}, signature)
        where = self.server.replace("http", "ws", 1) + request.raw_path
        if request.path not in self.shown:
            self.shown.add(request.path)
            wrong = ("A" if signature[0] != "A" else "B") + signature[1:]
            upgrade = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
                       "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==", "X-Twilio-Signature": wrong}
            async with self.http.get(self.server + request.raw_path, headers=upgrade) as reply:
                equal(f"{kind} with another signature is refused", reply.status, 403)
        async with self.http.ws_connect(where, headers={"X-Twilio-Signature": signature}) as far:
            check(f"{kind} is accepted", True)
            near = web.WebSocketResponse()
            await near.prepare(request)
            done = await asyncio.wait([asyncio.create_task(pump(near, far)), asyncio.create_task(pump(far, near))],
                                      return_when=asyncio.FIRST_COMPLETED)
            for task in done[1]:
                task.cancel()
            await near.close()
            return near


async def pump(source, sink):
    async for message in source:
        if message.type != WSMsgType.TEXT:
            break
        await sink.send_str(message.data)


async def hold(name, server, within):
    """Makes the campaign, and waits for its end."""
    async with ClientSession(server) as http:
        async def ask(method, path, **how):
            async with http.request(method, path, **how) as reply:
                body = await reply.json()
                assert reply.status < 300, f"{method} {path}: {reply.status} {body}"
                return body

        campaign = (await ask("POST", "/v1/campaigns", json=CAMPAIGN))["id"]
        report = await ask("POST", f"/v1/campaigns/{campaign}/gyms", data=GYMS, headers={"Content-Type": "text/csv"})
        equal(f"{name}: every gym is imported", report["accepted"], 4)
        await ask("POST", f"/v1/campaigns/{campaign}/start", json={})
        end = asyncio.get_running_loop().time() + within
        while (await ask("GET", f"/v1/campaigns/{campaign}"))["status"] != "completed":
            if asyncio.get_running_loop().time() > end:
                check(f"{name}: the campaign ends", False, await ask("GET", f"/v1/campaigns/{campaign}/jobs"))
                return
            await asyncio.sleep(0.1)
        jobs = (await ask("GET", f"/v1/campaigns/{campaign}/jobs"))["items"]
        by_gym = {job["gym_name"]: job for job in jobs}
        temple, busy = by_gym["Iron Temple"], by_gym["Busy Gym"]
        equal(f"{name}: a gym has answered", (temple["outcome"], len(temple["answers"])), ("answered", 2))
        equal(f"{name}: a busy gym has not", (busy["outcome"], [attempt["status"] for attempt in busy["attempts"]]), ("gave_up", ["busy"]))
        check(f"{name}: every job is over", all(job["outcome"] for job in jobs), jobs)


def server_settings(twilio, sid, token, proxy, bind, folder, speech):
    """The environment of a gymcall that is on this machine alone, and of nobody else's."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("TWILIO_", "GYMCALL_", "REDIS_", "PUBLIC_"))}
    return kept | {
        "GYMCALL_BIND": bind, "GYMCALL_DATA_DIR": folder, "PUBLIC_BASE_URL": proxy, "TWILIO_API_BASE_URL": twilio,
        "TWILIO_ACCOUNT_SID": sid, "TWILIO_AUTH_TOKEN": token, "TWILIO_FROM_NUMBER": "+15005550006",
        "GYMCALL_CALLS_PER_SECOND": "10", "GYMCALL_SPEECH": speech, "LOG_LEVEL": "warn",
    }
