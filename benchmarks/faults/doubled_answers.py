"""A server that sends each answer twice: what a client gives for the questions after the first.

`python -m benchmarks.faults.doubled_answers` asks five questions over one connection, with httpx and with our wire, and
prints which answer came to which question. It is why our wire is not httpx: an answer to another question is the worst
fault there is, and httpx's connection hands it out with no way to prevent it.
"""

from __future__ import annotations

import asyncio
import json
import sys

from benchmarks.faults.socket_server import ReceivedRequest, SocketServer, Step, whole
from rag_engine.errors import LanguageModelError
from rag_engine.llm.transport import Transport, WireRequest

QUESTIONS = 5


def doubled(request: ReceivedRequest, _number: int) -> list[Step]:
    """The question's own words as its answer, twice."""
    return whole(200, request.body) * 2


async def with_httpx(url: str) -> list[int | str]:
    """The answers that httpx gives."""
    import httpx

    answers: list[int | str] = []
    async with httpx.AsyncClient(trust_env=False) as client:
        for number in range(QUESTIONS):
            try:
                reply = await client.post(url, json={"question": number})
                answers.append(reply.json()["question"])
            except httpx.HTTPError as error:
                answers.append(type(error).__name__)
            await asyncio.sleep(0.05)  # time for whatever still comes
    return answers


async def with_ours(url: str) -> list[int | str]:
    """The answers that our wire gives."""
    answers: list[int | str] = []
    transport = Transport()
    for number in range(QUESTIONS):
        try:
            reply = await transport.send(WireRequest(url=url, body=json.dumps({"question": number}).encode()))
            answers.append(json.loads(reply.body)["question"])
        except LanguageModelError as error:
            answers.append(error.code)
        await asyncio.sleep(0.05)
    await transport.aclose()
    return answers


def main() -> int:
    """Prints both and exits with 1 where ours gives an answer to another question."""
    answered: dict[str, list[int | str]] = {}
    for name, ask in (("httpx", with_httpx), ("rag_engine", with_ours)):
        with SocketServer(doubled) as server:
            answered[name] = asyncio.run(ask(server.url))
    wrong = {
        name: sum(isinstance(answer, int) and answer != number for number, answer in enumerate(answers))
        for name, answers in answered.items()
    }
    print(json.dumps({"questions": QUESTIONS, "answered": answered, "to_another_question": wrong}))
    return int(wrong["rag_engine"] > 0)


if __name__ == "__main__":
    sys.exit(main())
