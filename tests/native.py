"""A native client of the API, as far as tests of other things need one."""

from __future__ import annotations

from typing import Any

import httpx

LOG_IN = "/_allauth/app/v1/auth/login"
START = """
mutation { startSubmission(input: {questionnaire: "quick-check"}) { submission { id openQuestions { key } } } }
"""
SAVE = """
mutation ($input: SaveAnswersInput!) {
  saveAnswers(input: $input) { submission { id openQuestions { key } } errors { message } }
}
"""
SUBMIT = """
mutation ($input: SubmissionInput!) { submitSubmission(input: $input) { errors { message } } }
"""
LATEST = """
query ($id: ID!) { submission(id: $id) { latestReport { id state } } }
"""


class NativeClient:
    """Somebody who is logged in by a token, over HTTP."""

    def __init__(self, server: str, email: str, password: str) -> None:
        self._http = httpx.Client(base_url=server, timeout=30, trust_env=False)
        answer = self._http.post(LOG_IN, json={"email": email, "password": password})
        assert answer.status_code == 200, answer.text
        self.token = str(answer.json()["meta"]["session_token"])
        self._http.headers["Authorization"] = f"Bearer {self.token}"

    def __enter__(self) -> NativeClient:
        return self

    def __exit__(self, *exception: object) -> None:
        self._http.close()

    def ask(self, query: str, **variables: object) -> dict[str, Any]:
        """Execute an operation that has to go well; gives its data."""
        answer = self._http.post("/graphql", json={"query": query, "variables": variables}).json()
        assert "errors" not in answer, answer
        data: dict[str, Any] = answer["data"]
        return data

    def report(self) -> str:
        """Answer the quick check by "don't know" throughout and submit it; gives the final report's id."""
        submission = self.ask(START)["startSubmission"]["submission"]
        while submission["openQuestions"]:
            answers = [
                {"question": question["key"], "value": {"dontKnow": True}, "note": "", "expectedVersion": 0}
                for question in submission["openQuestions"]
            ]
            saved = self.ask(SAVE, input={"submission": submission["id"], "answers": answers})["saveAnswers"]
            assert saved["errors"] == []
            submission = saved["submission"]
        submitted = self.ask(SUBMIT, input={"submission": submission["id"]})["submitSubmission"]
        assert submitted["errors"] == []
        while True:
            latest = self.ask(LATEST, id=submission["id"])["submission"]["latestReport"]
            if latest is not None and latest["state"] == "FINAL":
                return str(latest["id"])
