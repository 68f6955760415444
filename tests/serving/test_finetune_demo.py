"""`make finetune-demo`: the second loop, end to end, with a real vLLM."""


def test_every_step_did_what_it_must(demo):
    steps = [step["what"] for step in demo.report["steps"]]
    assert steps[0] == "documents" and "poisoned adapter" in steps and steps[-1] == "vLLM stopped, llmflow ask"
    print("\n".join(f"{step['seconds']:7.1f} s  {step['what']}: {step['result']}" for step in demo.report["steps"]))


def test_no_request_failed_while_adapters_changed_under_eight_clients(demo):
    streams = demo.report["streams"]
    assert streams["failed"] == 0 and streams["requests"] >= 96
    assert len(streams["by_model"]) == 2
    assert all(name.endswith("(smoke model)") for name in streams["by_model"])


def test_the_record_says_who_changed_what_and_why(demo, monkeypatch):
    monkeypatch.setenv("LLMFLOW_HOME", str(demo.home))
    from llmflow.serving.catalog import open_catalog

    workspace = open_catalog("test")
    try:
        registry = workspace.models.registry
        events = [(event.action, event.who, event.why) for event in registry.history()]
        assert events == [
            ("rollback", "finetune-demo", "to show that it is one flip"),
            ("promote", "finetune-demo", "better by the gate"),
            ("promote", "finetune-demo", "first adapter"),
        ]
        verdicts = {version.number: version.verdict for version in registry.versions()}
        assert verdicts == {1: "PROMOTE", 2: "REJECT", 3: "PROMOTE"}
        champion, previous = registry.aliased("champion"), registry.aliased("previous")
        assert champion is not None and previous is not None
        assert (champion.number, previous.number) == (1, 3)
    finally:
        workspace.close()
