"""OGX without a server, which nothing here is."""


class OGXAsLibraryClient:
    pass
