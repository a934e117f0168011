"""The shapes of OGX's interface in which its tests hand over chunks and lifetimes."""

from types import SimpleNamespace

ChunkMetadata = EmbeddedChunk = SimpleNamespace
ExpiresAfter = dict
