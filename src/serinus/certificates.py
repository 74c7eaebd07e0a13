"""Whom a server's certificate may be vouched for by. The list takes 25 ms to read: once for a process is enough."""

import ssl
from functools import cache

import httpx2


@cache
def authorities() -> ssl.SSLContext:
    """Those that httpx2 trusts by itself, or that ``SSL_CERT_FILE`` and ``SSL_CERT_DIR`` name."""
    return httpx2.create_ssl_context()


@cache
def nobody() -> ssl.SSLContext:
    """For an address without TLS, where there is no certificate to believe."""
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
