"""Calls that are timed while they happen, by a clock that the test turns."""

import asyncio

import pytest


class Clock:
    def __init__(self):
        self.seconds = 100.0

    def __call__(self):
        return self.seconds

    def __iadd__(self, seconds):
        self.seconds += seconds
        return self


@pytest.fixture
def clock(client):
    client.clock = Clock()
    return client.clock


def arrived(client, gateway):
    assert client.flush(10)
    (call,) = gateway.calls.values()
    return call


def test_a_stream_is_timed(client, gateway, clock):
    with client.track(prompt="Why?") as call:
        clock += 0.5
        call.first_token("Be")
        clock += 0.125
        call.token("cause")
        clock += 0.25
        call.token(".")
        clock += 1
        call.set(tokens={"output": 3})
    stored = arrived(client, gateway)
    assert stored["call_id"] == call.call_id
    assert stored["duration_seconds"] == 1.875
    assert stored["time_to_first_token_seconds"] == 0.5
    assert stored["inter_token_seconds"] == [0.125, 0.25]
    assert (stored["response"], stored["tokens"]) == ("Because.", {"output": 3})


def test_an_exception_is_recorded_and_raised_again(client, gateway):
    with pytest.raises(TimeoutError), client.track(prompt="Why?"):
        raise TimeoutError("after 30 s, mail a@example.org")
    assert arrived(client, gateway)["error"] == {"kind": "TimeoutError", "message": "after 30 s, mail [email]"}


def test_the_version_is_the_one_that_served_when_the_call_began(client, gateway):
    with client.track(prompt="Why?") as call:
        client.serving = "v2"
        call.response = "Because."
    assert arrived(client, gateway)["version"] == "v1"


def test_a_function_is_tracked(client, gateway, clock):
    @client.track(app="qa")
    def answer(prompt, *, user_id):
        nonlocal clock
        clock += 2
        return prompt.upper()

    assert answer("why?", user_id="ada") == "WHY?"
    stored = arrived(client, gateway)
    assert (stored["app"], stored["prompt"], stored["response"], stored["user_id"]) == ("qa", "why?", "WHY?", "ada")
    assert stored["duration_seconds"] == 2


def test_messages_are_recorded_as_the_call_began_with_them(client, gateway):
    @client.track()
    def answer(messages):
        messages[0]["content"] = "changed"
        messages.append({"role": "assistant", "content": "Because."})

    answer([{"role": "user", "content": "Why?"}])
    assert arrived(client, gateway)["messages"] == [{"role": "user", "content": "Why?"}]


def test_what_cannot_be_copied_does_not_fail_the_call(client):
    class Hostile(dict):
        def copy(self):
            raise RuntimeError("no")

    with client.track(prompt="Why?", messages=Hostile()) as call:
        call.response = "Because."
    assert client.flush(10)


def test_a_coroutine_is_tracked(client, gateway, clock):
    @client.track()
    async def answer(prompt):
        nonlocal clock
        await asyncio.sleep(0)
        clock += 3
        return prompt + "!"

    assert asyncio.run(answer("why")) == "why!"
    stored = arrived(client, gateway)
    assert (stored["response"], stored["duration_seconds"]) == ("why!", 3)


def test_a_generator_is_a_stream(client, gateway, clock):
    @client.track()
    def answer(prompt):
        nonlocal clock
        for token in prompt.split():
            clock += 1
            yield token

    assert list(answer("a b c")) == ["a", "b", "c"]
    stored = arrived(client, gateway)
    assert (stored["response"], stored["time_to_first_token_seconds"]) == ("abc", 1)
    assert stored["inter_token_seconds"] == [1, 1]


def test_an_asynchronous_generator_is_a_stream(client, gateway, clock):
    @client.track(prompt="Why?")
    async def answer():
        nonlocal clock
        for token in "ab":
            clock += 1
            yield token
        raise ValueError("cut off")

    async def read():
        return [token async for token in answer()]

    with pytest.raises(ValueError, match="cut off"):
        asyncio.run(read())
    stored = arrived(client, gateway)
    assert (stored["response"], stored["inter_token_seconds"]) == ("ab", [1])
    assert stored["error"]["kind"] == "ValueError"


def test_a_generator_is_sent_to_thrown_into_and_returns_as_before(client, gateway):
    @client.track()
    def answer(prompt):
        sent = yield "a"
        try:
            yield sent
        except KeyError:
            yield "caught"
        return "result"

    def around():
        return (yield from answer("p"))

    stream = around()
    assert (next(stream), stream.send("sent"), stream.throw(KeyError())) == ("a", "sent", "caught")
    with pytest.raises(StopIteration) as end:
        next(stream)
    assert end.value.value == "result"
    assert client.flush(10)
    assert [call["response"] for call in gateway.calls.values()] == ["asentcaught"]


def test_an_asynchronous_generator_is_sent_to_thrown_into_and_closed_as_before(client):
    ended = []

    @client.track()
    async def answer(prompt):
        try:
            sent = yield "a"
            try:
                yield sent
            except KeyError:
                yield "caught"
        finally:
            ended.append(asyncio.current_task())

    async def use():
        stream = answer("p")
        said = [await anext(stream), await stream.asend("sent"), await stream.athrow(KeyError())]
        await stream.aclose()
        return said, ended == [asyncio.current_task()]

    assert asyncio.run(use()) == (["a", "sent", "caught"], True)


@pytest.mark.parametrize("end", [GeneratorExit, asyncio.CancelledError, StopAsyncIteration])
def test_what_ends_an_asynchronous_generator_ends_the_function_first(client, gateway, end):
    ends = []

    async def answer():
        try:
            yield "a"
            yield "b"
        finally:
            await asyncio.sleep(0)
            ends.append("function")

    async def read(stream):
        await anext(stream)
        try:
            await (stream.aclose() if end is GeneratorExit else stream.athrow(end()))
        except BaseException as error:
            ends.append(type(error))
        ends.append("reader")

    asyncio.run(read(answer()))
    plain, ends = ends, []
    asyncio.run(read(client.track()(answer)()))
    assert ends == plain
    assert arrived(client, gateway)["response"] == "a"


def test_a_stream_that_nobody_reads_to_the_end_is_no_error(client, gateway):
    @client.track()
    def answer():
        yield "a"
        yield "b"

    stream = answer()
    assert next(stream) == "a"
    stream.close()
    stored = arrived(client, gateway)
    assert (stored["response"], stored["finish_reason"]) == ("a", "closed")
    assert "error" not in stored


def test_a_function_still_complains_of_wrong_arguments(client):
    @client.track()
    def answer(prompt):
        return prompt

    with pytest.raises(TypeError):
        answer()


def test_an_asynchronous_context(client, gateway):
    async def run():
        async with client.track(prompt="Why?") as call:
            call.response = "Because."

    asyncio.run(run())
    assert arrived(client, gateway)["response"] == "Because."
