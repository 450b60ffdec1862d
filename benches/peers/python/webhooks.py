"""Signed webhooks to durable state, as a user of FastAPI, Twilio's library and redis-py would write it.

usage: PORT=… REDIS_PORT=… AUTH_TOKEN=… python webhooks.py
"""

import json
import os

import redis.asyncio as redis
import uvicorn
from fastapi import FastAPI, Request, Response
from twilio.request_validator import RequestValidator

PORT = int(os.environ["PORT"])
# The state goes forward only, and what came is kept.
SCRIPT = """
local known = tonumber(redis.call('HGET', KEYS[1], 'sequence') or -1)
redis.call('RPUSH', KEYS[2], ARGV[3])
if tonumber(ARGV[1]) <= known then return 0 end
redis.call('HSET', KEYS[1], 'sequence', ARGV[1], 'status', ARGV[2])
return 1
"""

app = FastAPI()
store = redis.Redis(port=int(os.environ["REDIS_PORT"]))
update = store.register_script(SCRIPT)
validator = RequestValidator(os.environ["AUTH_TOKEN"])


@app.post("/v1/twilio/status")
async def status(request: Request):
    form = dict(await request.form())
    url = f"http://localhost:{PORT}{request.url.path}?{request.url.query}"
    if not validator.validate(url, form, request.headers.get("x-twilio-signature", "")):
        return Response(status_code=403)
    call = form["CallSid"]
    await update(keys=[f"call:{call}", f"log:{call}"], args=[form["SequenceNumber"], form["CallStatus"], json.dumps(form)])
    return Response(status_code=200)


uvicorn.run(app, host="127.0.0.1", port=PORT, loop="uvloop", http="httptools", log_level="warning", access_log=False)
