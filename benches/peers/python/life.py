"""Celery and RQ through the life of a job. Speaks with the bench over its pipes: `ready`, go, `done`, check, `checked`.

usage: python life.py celery|rq PORT JOBS
"""

import json
import os
import subprocess
import sys
import time

system, port, jobs = sys.argv[1], sys.argv[2], int(sys.argv[3])
os.environ["BENCH_REDIS_PORT"] = port

import redis  # noqa: E402

import calls  # noqa: E402

store = redis.Redis(port=int(port))


def say(word):
    print(word, flush=True)


def fail(why):
    sys.exit(why)


def until(what, holds):
    for _ in range(6_000):
        if holds():
            return
        time.sleep(0.05)
    fail(f"not in five minutes: {what}")


def celery_worker():
    command = [sys.executable, "-m", "celery", "--app", "calls", "worker", "--loglevel", "error"]
    command += ["--concurrency", str(calls.PROCESSES), "--without-gossip", "--without-mingle", "--without-heartbeat"]
    return subprocess.Popen(command, cwd=os.path.dirname(__file__), stdout=subprocess.DEVNULL)


def through_celery():
    worker = celery_worker()
    until("the worker answers", lambda: calls.app.control.ping(timeout=0.2))
    say("ready")
    sys.stdin.readline()
    results = [
        calls.celery_call.apply_async((f"+1212{number:07d}", "", number), ignore_result=False).id
        for number in range(jobs)
    ]
    until("all tasks are acknowledged", lambda: store.llen("celery") == 0 and store.hlen("unacked") == 0)
    say("done")
    sys.stdin.readline()
    for result in results:
        stored = json.loads(store.get(f"celery-task-meta-{result}"))
        whole = stored["status"] == "SUCCESS" and stored["result"]["status"] == "completed"
        if not (whole and stored["result"]["disposition"] == "answered_full"):
            fail(f"{result} is {stored}")
    worker.terminate()
    worker.wait()
    return len(set(results))


def through_rq():
    from rq import Queue

    queue = Queue("calls", connection=store)
    # Works in its own process. The default worker forks for each job, which costs more.
    command = [sys.executable, "-m", "rq.cli", "worker", "calls", "--url", calls.URL, "--quiet"]
    command += ["--worker-class", "rq.worker.SimpleWorker"]
    workers = [
        subprocess.Popen(command, cwd=os.path.dirname(__file__), stdout=subprocess.DEVNULL)
        for _ in range(calls.PROCESSES)
    ]
    until("the workers are there", lambda: store.scard("rq:workers") == calls.PROCESSES)
    say("ready")
    sys.stdin.readline()
    results = [
        queue.enqueue(calls.rq_call, f"+1212{number:07d}", "", number, result_ttl=86_400) for number in range(jobs)
    ]
    finished = queue.finished_job_registry
    until("all jobs are finished", lambda: finished.get_job_count(cleanup=False) == jobs)
    say("done")
    sys.stdin.readline()
    for job in results:
        job.refresh()
        whole = job.is_finished and job.meta["status"] == "completed" and job.return_value() == calls.REPORT
        if not whole or len(job.results()) != 1:
            fail(f"{job.id} is {job.get_status()}, {job.meta}")
    for worker in workers:
        worker.terminate()
    for worker in workers:
        worker.wait()
    return len({job.id for job in results})


say(f"checked {through_celery() if system == 'celery' else through_rq()}")
