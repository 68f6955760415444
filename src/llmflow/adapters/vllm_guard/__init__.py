"""What is loaded into vLLM's own process. It lives in another environment, so nothing here imports llmflow."""
