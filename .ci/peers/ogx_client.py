"""OGX's own client has OpenAI's errors."""

from openai import BadRequestError

__all__ = ["BadRequestError"]
