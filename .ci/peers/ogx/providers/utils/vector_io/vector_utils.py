"""Ids of chunks, the same for the same chunk."""

import uuid


def generate_chunk_id(document_id, chunk_text, chunk_window=None):
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{document_id}:{chunk_text}:{chunk_window}"))
