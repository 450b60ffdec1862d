"""The life of a job as a user of Celery and as a user of RQ would write it."""

import os

from celery import Celery

URL = f"redis://127.0.0.1:{os.environ['BENCH_REDIS_PORT']}/0"
AT_ONCE = 64
PROCESSES = 2

app = Celery("calls", broker=URL, backend=URL)
app.conf.update(
    # A task whose worker dies is kept.
    task_acks_late=True,
    worker_prefetch_multiplier=AT_ONCE // PROCESSES,
    # Leave out what costs and is not asked for here.
    worker_send_task_events=False,
    task_send_sent_event=False,
    broker_connection_retry_on_startup=True,
)

ANSWER = {
    "key": "day_pass_price",
    "amount": "15.00",
    "currency": "USD",
    "quote": "a day pass is 15 dollars",
    "from_ms": 4000,
    "to_ms": 5000,
}
REPORT = {"disposition": "answered_full", "ended_reason": "agent_hangup", "answered_by": "human"}


def states(number):
    """What is stored on the way, in order: created, three callbacks, an answer, the last callback."""
    call = {"phone_number": f"+1212{number:07d}", "sid": f"CA{number:032d}"}
    for status in ["queued", "initiated", "ringing", "in-progress"]:
        yield {**call, "status": status}
    call["answers"] = [ANSWER]
    yield {**call, "status": "in-progress"}
    yield {**call, "status": "completed"}


@app.task(bind=True)
def celery_call(self, phone_number, gym_name, number):
    for state in states(number):
        self.update_state(state="PROGRESS", meta=state)
    return {**state, **REPORT}


def rq_call(phone_number, gym_name, number):
    from rq import get_current_job

    job = get_current_job()
    for state in states(number):
        job.meta.update(state)
        job.save_meta()
    return REPORT
