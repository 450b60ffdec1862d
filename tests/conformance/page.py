"""The programs of docs/simulator.md for the two libraries, run as they are written there, but for the port."""

import asyncio
import sys
from pathlib import Path

from checks import check

PAGE = Path(__file__).parent.parent.parent / "docs" / "simulator.md"


def example(language):
    _, after = PAGE.read_text().split(f"\n```{language}\n", 1)
    return after.split("\n```", 1)[0] + "\n"


async def run(name, *command):
    """The program must end well and print the sid of the call that it created."""
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT)
    out, _ = await process.communicate()
    said = out.decode()
    check(f"the page's {name} program creates a call", process.returncode == 0 and "CA" in said, said)


async def examples(url, node_modules):
    python = example("python").replace("http://127.0.0.1:4010", url) + "print(call.sid)\n"
    node = example("js").replace("http://127.0.0.1:4010", url) + "console.log(call.sid);\n"
    program = Path(node_modules) / "page.mjs"
    program.write_text(node)
    await run("Python", sys.executable, "-c", python)
    await run("Node", "node", str(program))
