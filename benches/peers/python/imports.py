"""A CSV of gyms to durable jobs, as a user of csv, phonenumbers and redis-py would write it. Speaks with the bench over its
pipes: `ready`, go, `done`, check, `checked`.

usage: python imports.py PORT FILE
"""

import csv
import sys

import phonenumbers
import redis

port, file = int(sys.argv[1]), sys.argv[2]
BATCH = 500
store = redis.Redis(port=port)
store.ping()


def gyms():
    seen = set()
    with open(file, newline="", encoding="utf-8") as rows:
        for row in csv.DictReader(rows):
            try:
                number = phonenumbers.parse(row["phone_number"], row["country"])
            except phonenumbers.NumberParseException:
                continue
            if not phonenumbers.is_valid_number(number):
                continue
            row["phone_number"] = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
            if row["phone_number"] not in seen:
                seen.add(row["phone_number"])
                yield row


print("ready", flush=True)
sys.stdin.readline()
pipeline = store.pipeline(transaction=False)
count = 0
for count, gym in enumerate(gyms(), 1):
    pipeline.hset(f"job:{count}", mapping=gym)
    pipeline.zadd("waiting", {f"job:{count}": count})
    if count % BATCH == 0:
        pipeline.execute()
pipeline.execute()
print("done", flush=True)

sys.stdin.readline()
print(f"checked {store.zcard('waiting') if store.dbsize() == count + 1 else 0}", flush=True)
