"""LiteLLM's Router with two deployments and with a hundred."""

from __future__ import annotations

import harness  # first: its clock begins here

from litellm_program import Completion, raw_httpx  # isort: skip


class Router(Completion):
    """``Router.acompletion`` over deployments of one model name, chosen as the Router does unless told otherwise."""

    deployments = 2

    def __init__(self, base_url: str) -> None:
        super().__init__(base_url)
        import litellm

        listed = [
            {"model_name": "the-model", "litellm_params": dict(self._options), "model_info": {"id": str(number)}}
            for number in range(self.deployments)
        ]
        router = litellm.Router(model_list=listed)
        self._ask = router.acompletion
        self._options = {"model": "the-model"}


class RouterOf100(Router):
    """The same with a hundred."""

    deployments = 100


if __name__ == "__main__":
    harness.run("litellm", {"litellm_router_2": Router, "litellm_router_100": RouterOf100, "httpx": raw_httpx})
