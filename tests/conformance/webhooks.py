"""Every kind of webhook the simulator sends, to an app that checks it as the official libraries tell apps to."""

import asyncio
from collections import Counter

from aiohttp import WSMsgType, web
from twilio.request_validator import RequestValidator

from checks import check

XML = "text/xml"
FROM, TALKER, BUSY = "+15005550006", "+14155560101", "+14155560102"


def changes(url, params, signature):
    """The same request with one byte changed: in its URL, in a value, in its signature."""
    flip = lambda text: text[:-1] + ("x" if text[-1] != "x" else "y")
    yield "URL", flip(url), params, signature
    first = "A" if signature[0] != "A" else "B"
    yield "signature", url, params, first + signature[1:]
    if params:
        name = sorted(params)[0]
        yield "value", url, params | {name: [*params[name][:-1], params[name][-1] + "x"]}, signature


class Listed(dict):
    """Parameters with all their values, in the form that the Python validator asks for."""

    def getlist(self, name):
        return self[name]


class Book:
    """What arrived, and whether the Python validator believes it; the rest of the libraries judge it later."""

    def __init__(self, token):
        self.validator = RequestValidator(token)
        self.kept = []
        self.kinds = Counter()

    def keep(self, kind, url, params, signature):
        name = f"{kind} is signed"
        self.kinds[kind] += 1
        valid = self.validator.validate(url, Listed(params), signature)
        check(f"Python: {name}", valid, f"{signature} for {url} {params}")
        self._note(name, url, params, signature, False)
        for what, *other in changes(url, params, signature):
            check(f"Python: {kind} with another {what} is refused", not self.validator.validate(other[0], Listed(other[1]), other[2]))
            self._note(f"{kind} with another {what} is refused", *other, True)
        return valid

    def _note(self, name, url, params, signature, changed):
        self.kept.append({"name": name, "url": url, "params": params, "signature": signature, "changed": changed})


async def params_of(request):
    form = await request.post()
    return {name: list(form.getall(name)) for name in form}


class App:
    """An app with all the webhooks that Twilio knows. What it answers depends on the path alone."""

    def __init__(self, book, url):
        self.book, self.url = book, url
        self.arrived = asyncio.Condition()

    def routes(self):
        app = web.Application()
        app.router.add_get("/stream", self.stream)
        app.router.add_get("/listen", self.stream)
        app.router.add_route("*", "/{path:.*}", self.webhook)
        return app

    async def webhook(self, request):
        path = request.match_info["path"]
        url = self.url + request.raw_path
        params = await params_of(request)
        values = params or {name: request.query.getall(name) for name in request.query}
        # The libraries of the other parts use some paths too; they are checked like all others.
        kind = f"{request.method} /{path}"
        self.book.keep(kind, url, params, request.headers.get("X-Twilio-Signature", ""))
        check(f"{kind} has its headers", request.headers.get("User-Agent") == "TwilioProxy/1.1"
              and request.headers.get("I-Twilio-Idempotency-Token"), dict(request.headers))
        check(f"{kind} names its call", values.get("CallSid", [""])[0].startswith("CA"), values)
        async with self.arrived:
            self.arrived.notify_all()
        return self.answer(path, request.method)

    def answer(self, path, method):
        documents = {
            "voice": f'<Gather input="speech dtmf" timeout="2" action="/gather?q=a%2Fb" method="{method}"><Say>Hello</Say></Gather>',
            "gather": "<Hangup/>",
            "fallback": "<Hangup/>",
            "voice-record": f'<Record action="/record" method="{method}" maxLength="1" timeout="1" playBeep="false" '
                            f'recordingStatusCallback="/recording" recordingStatusCallbackMethod="{method}"/>',
            "record": "<Redirect>/redirected</Redirect>",
            "redirected": "<Hangup/>",
            "voice-stream": f'<Connect action="/connected" method="{method}"><Stream url="{self.url.replace("http", "ws", 1)}/stream" '
                            f'statusCallback="/stream-status" statusCallbackMethod="{method}"/></Connect>',
            "connected": "<Hangup/>",
            "voice-dial": f'<Dial action="/dialled" method="{method}" timeout="2"><Number statusCallback="/leg" '
                          f'statusCallbackEvent="initiated completed" statusCallbackMethod="{method}">{BUSY}</Number></Dial>',
            "dialled": "<Hangup/>",
        }
        if path == "broken":
            return web.Response(status=500)
        if path in documents:
            return web.Response(text=f"<Response>{documents[path]}</Response>", content_type=XML)
        return web.Response(status=204)

    async def stream(self, request):
        url = self.url.replace("http", "ws", 1) + request.raw_path
        self.book.keep(f"upgrade {request.path}", url, {}, request.headers.get("X-Twilio-Signature", ""))
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        async for message in socket:
            if message.type != WSMsgType.TEXT or message.json()["event"] == "stop":
                break
            if request.path == "/stream" and message.json()["event"] == "media":
                break
        await socket.close()
        return socket


def orders(url):
    """Calls that make the simulator send each kind, by POST and by GET."""
    for method in ("POST", "GET"):
        common = {"from_": FROM, "to": TALKER, "method": method, "status_callback": url + "/status", "status_callback_method": method,
                  "status_callback_event": ["initiated", "ringing", "answered", "completed"]}
        yield common | {
            "url": url + "/voice?x=a%2Fb%20c&y=", "record": True, "recording_status_callback": url + "/recording",
            "recording_status_callback_method": method, "recording_status_callback_event": ["in-progress", "completed"],
            "machine_detection": "Enable", "async_amd": "true", "async_amd_status_callback": url + "/amd",
            "async_amd_status_callback_method": method, "machine_detection_speech_end_threshold": 500}
        yield common | {"url": url + "/voice#rc=1&rp=5xx", "machine_detection": "Enable", "machine_detection_speech_end_threshold": 500}
        yield common | {"url": url + "/broken", "fallback_url": url + "/fallback", "fallback_method": method}
        yield common | {"url": url + "/voice-record"}
        yield common | {"url": url + "/voice-stream"}
        yield common | {"url": url + "/voice-dial"}
        yield common | {"to": BUSY, "url": url + "/voice"}


WANTED = [f"{method} /{path}" for method in ("POST", "GET") for path in
          ("voice", "status", "gather", "amd", "recording", "broken", "fallback", "record", "stream-status", "connected", "dialled", "leg")]
WANTED += ["POST /redirected", "upgrade /stream", "upgrade /listen"]
