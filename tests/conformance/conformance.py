"""Conducts the conformance checks: starts the simulator and gymcall, runs both libraries against them, and counts."""

import asyncio
import contextlib
import io
import json
import os
import socket
import sys
import tempfile
from pathlib import Path

from aiohttp import ClientSession, web
from twilio.rest import Client

import campaign
import page
import webhooks
from checks import check, wait_for_part

HERE = Path(__file__).parent
SID, TOKEN = "AC00000000000000000000000000000001", "0123456789abcdef0123456789abcdef"
WITHIN = 90
CAMPAIGNS = [("a campaign over tones", "tones"), ("a campaign over Gather", "twilio")]


def free_port():
    with socket.socket() as it:
        it.bind(("127.0.0.1", 0))
        return it.getsockname()[1]


@contextlib.asynccontextmanager
async def running(program, *arguments, environment, log):
    """A process of ours, which ends with the block."""
    with open(log, "w") as out:
        process = await asyncio.create_subprocess_exec(program, *arguments, env=environment, stdout=out, stderr=out)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
            await process.wait()


async def answers(url):
    """Waits until something listens there."""
    async with ClientSession() as http:
        for _ in range(600):
            with contextlib.suppress(OSError):
                async with http.get(url):
                    return
            await asyncio.sleep(0.05)
    raise TimeoutError(f"nothing answers at {url}")


@contextlib.asynccontextmanager
async def serving(app, port):
    runner = web.AppRunner(app, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    try:
        yield
    finally:
        await runner.cleanup()


class Score:
    """Counts the checks of all parts."""

    def __init__(self):
        self.passed, self.failed = 0, 0
        self.named = {}

    def add(self, of, lines):
        for line in lines.splitlines():
            it = json.loads(line)
            count = self.named.setdefault(of, [0, 0])
            if it["ok"]:
                self.passed += 1
                count[0] += 1
            else:
                self.failed += 1
                count[1] += 1
                print(f"FAILED {of}: {it['check']}: {it['detail']}", file=sys.stderr)


async def child(score, of, *command, environment, given=None):
    process = await asyncio.create_subprocess_exec(
        *command, env=environment, stdout=asyncio.subprocess.PIPE, stdin=asyncio.subprocess.PIPE)
    out, _ = await process.communicate(given)
    score.add(of, out.decode())
    if process.returncode:
        score.add(of, json.dumps({"check": f"{command[-1]} ends well", "ok": False, "detail": process.returncode}))


async def send_all(app, client, url):
    """Places every order, and waits until each kind of webhook has come."""
    for order in webhooks.orders(url):
        await asyncio.to_thread(lambda: client.calls.create(**order))
    missing = lambda: [kind for kind in webhooks.WANTED if not app.book.kinds[kind]]
    async with app.arrived:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(app.arrived.wait_for(lambda: not missing()), WITHIN / 2)
    for kind in webhooks.WANTED:
        check(f"{kind} has come", app.book.kinds[kind])


async def call_gyms(name, speech, binary, twilio, book, folder):
    """A campaign of a gymcall of its own, behind a proxy."""
    port, front = free_port(), free_port()
    server, public = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{front}"
    environment = campaign.server_settings(twilio, SID, TOKEN, public, f"127.0.0.1:{port}", str(folder / name), speech)
    proxy = campaign.Proxy(name, book, public, server)
    async with ClientSession() as proxy.http, serving(proxy.routes(), front):
        async with running(binary, "serve", environment=environment, log=folder / f"{name}.log") as process:
            await answers(server + "/healthz")
            await campaign.hold(name, server, WITHIN)
            check(f"{name}: gymcall is still there", process.returncode is None)
    for path in {"tones": ["voice", "status", "stream"], "twilio": ["voice", "status", "gather"]}[speech]:
        check(f"{name}: {path} was among the webhooks", f"/v1/twilio/{path}" in proxy.shown, proxy.shown)


async def main(binary, node_modules):
    score, folder = Score(), Path(tempfile.mkdtemp(prefix="gymcall-conformance-"))
    port, app_port, gyms_port, page_port = (free_port() for _ in range(4))
    url, app_url, gyms_url = (f"http://127.0.0.1:{it}" for it in (port, app_port, gyms_port))
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TWILIO_")}
    account = kept | {"TWILIO_ACCOUNT_SID": SID, "TWILIO_AUTH_TOKEN": TOKEN, "LOG_LEVEL": "error"}
    environment = kept | {"TWILIO_URL": url, "TWILIO_SID": SID, "TWILIO_TOKEN": TOKEN, "APP_URL": app_url}
    files = [f"--{it}={HERE / it}.toml" for it in ("account", "callees", "faults")]
    app = webhooks.App(webhooks.Book(TOKEN), app_url)
    client = Client(SID, TOKEN)
    client.api.base_url = url
    printed = io.StringIO()
    async with (
        running(binary, "simulator", f"--bind=127.0.0.1:{port}", "--pace=50", *files, environment=account, log=folder / "twilio.log"),
        running(binary, "simulator", f"--bind=127.0.0.1:{gyms_port}", "--pace=50", environment=account, log=folder / "gyms.log"),
        # With the account that the page is written for.
        running(binary, "simulator", f"--bind=127.0.0.1:{page_port}", environment=kept, log=folder / "page.log"),
        serving(app.routes(), app_port),
    ):
        await answers(url)
        await answers(gyms_url)
        await answers(f"http://127.0.0.1:{page_port}")
        with contextlib.redirect_stdout(printed):
            await asyncio.gather(
                child(score, "Python library", sys.executable, "-B", str(HERE / "api.py"), environment=environment),
                child(score, "Node library", "node", str(node_modules / "api.js"), environment=environment),
                wait_for_part("the page", page.examples(f"http://127.0.0.1:{page_port}", node_modules)),
                wait_for_part("every webhook", send_all(app, client, app_url)),
                *(wait_for_part(name, call_gyms(name, speech, binary, gyms_url, app.book, folder)) for name, speech in CAMPAIGNS),
            )
    score.add("webhooks", printed.getvalue())
    kept_requests = "\n".join(json.dumps(it) for it in app.book.kept).encode()
    await child(score, "Node validator", "node", str(node_modules / "signatures.js"), environment=environment, given=kept_requests)
    for of, (passed, failed) in sorted(score.named.items()):
        print(f"{of}: {passed} passed, {failed} failed")
    print(f"{score.passed} passed, {score.failed} failed")
    if score.failed or not score.passed:
        print(f"what the programs said is in {folder}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main(sys.argv[1], Path(sys.argv[2]))))
