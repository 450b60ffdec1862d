// A tally of checks. Each is a line of JSON on standard output, which the conductor counts.

export function check(name, ok, detail = "") {
  console.log(JSON.stringify({ check: name, ok: Boolean(ok), detail: ok ? "" : String(detail).slice(0, 400) }));
}

export function equal(name, got, wanted) {
  const [is, should] = [JSON.stringify(got), JSON.stringify(wanted)];
  check(name, is === should, `got ${is}, wanted ${should}`);
}

// Runs one part; what it trips over is a failed check, and the next part runs all the same.
export async function part(name, run) {
  try {
    await run();
  } catch (error) {
    check(`${name} runs to its end`, false, error);
    console.error(`${name}: ${error?.stack ?? error}`);
  }
}
