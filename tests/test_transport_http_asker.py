"""Many URLs asked: failures that may pass are tried again, servers that are away given up."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from release_builder.transport.http import Answer, HttpError, HttpOptions, Try
from release_builder.transport.http.asker import LENGTH_UNTOLD, Asker

URL = "http://one.example/"


@dataclass(slots=True)
class Told:
    """A client that answers one after the other; the last answer for ever."""

    answers: list[Answer | int | None]
    asked: list[str] = field(default_factory=list)

    def length(self, url: str, expected: int) -> int | None:
        self.asked.append(url)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Answer):
            raise HttpError(answer, "why")
        return answer


def asker(client: Told, retries: int = 2, deadline: float | None = None) -> Asker:
    return Asker(client, HttpOptions(retries=retries, deadline=deadline), random=lambda: 0.0)


def test_a_file_that_is_there_is_right() -> None:
    client = Told([10])

    assert asker(client).ask(f"{URL}a", 10) == Try(f"{URL}a", Answer.RIGHT)


def test_a_length_that_is_not_told_is_said() -> None:
    assert asker(Told([None])).ask(URL, 10) == Try(URL, Answer.RIGHT, LENGTH_UNTOLD)


@pytest.mark.parametrize(
    ("answers", "requests", "answer"),
    [
        pytest.param([Answer.SERVER_ERROR, Answer.BUSY, 10], 3, Answer.RIGHT, id="it passes"),
        pytest.param([Answer.SERVER_ERROR], 3, Answer.SERVER_ERROR, id="it does not pass"),
        pytest.param([Answer.NOT_FOUND, 10], 1, Answer.NOT_FOUND, id="it will not pass"),
    ],
)
def test_a_failure_that_may_pass_is_tried_again(
    answers: list[Answer | int | None], requests: int, answer: Answer
) -> None:
    client = Told(answers)

    said = asker(client).ask(URL, 10)

    assert (said.answer, len(client.asked)) == (answer, requests)


@pytest.mark.parametrize(
    ("answer", "requests"),
    [
        pytest.param(Answer.TLS, 1, id="not to be trusted"),
        pytest.param(Answer.UNREACHABLE, 3, id="unreachable"),
        pytest.param(Answer.TIMEOUT, 3, id="silent"),
        pytest.param(Answer.SERVER_ERROR, 20, id="server error"),
        pytest.param(Answer.NOT_FOUND, 50, id="not found"),
    ],
)
def test_a_server_that_is_away_is_given_up(answer: Answer, requests: int) -> None:
    client = Told([answer])
    asks = asker(client, retries=0)

    said = [asks.ask(f"{URL}{at}", 10) for at in range(50)]

    assert len(client.asked) == requests
    assert {each.answer for each in said} == {answer}
    assert sum(each.detail.startswith("not asked: http://one.example") for each in said) == (
        50 - requests
    )


def test_another_server_is_asked_though_one_is_given_up() -> None:
    asks = asker(Told([Answer.TLS, 10]))

    assert asks.ask(URL, 10).answer is Answer.TLS
    assert asks.ask("http://two.example/", 10).answer is Answer.RIGHT


def test_a_server_that_answers_now_and_then_is_not_given_up() -> None:
    client = Told([Answer.UNREACHABLE, Answer.UNREACHABLE, 10] * 10)
    asks = asker(client, retries=0)

    said = [asks.ask(URL, 10).answer for _ in range(30)]

    assert said.count(Answer.RIGHT) == 10


def test_nobody_is_asked_after_the_deadline() -> None:
    client = Told([10])

    assert asker(client, deadline=0).ask(URL, 10).answer is Answer.NO_TIME
    assert not client.asked


def test_nobody_is_asked_after_the_stop() -> None:
    client = Told([10])
    asks = asker(client)
    asks.stop()

    assert asks.ask(URL, 10).answer is Answer.NO_TIME
    assert not client.asked
