"""An S3 server on this machine for a test, and the environment that leads to it."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.request import Request, urlopen

KEY, SECRET = "AKIAINGOTTEST", "s3cr3t/with+signs='quote'"


@contextmanager
def serving(bucket: str) -> Iterator[dict[str, str]]:
    """A server with an empty bucket on a free port of loopback; gives the variables that a client needs."""
    from moto.server import ThreadedMotoServer  # noqa: PLC0415 (slow to import)

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        address = "http://{}:{}".format(*server.get_host_and_port())
        with urlopen(Request(f"{address}/{bucket}", method="PUT"), timeout=10):
            pass
        yield {
            "AWS_ACCESS_KEY_ID": KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_ENDPOINT_URL": address,
            "AWS_REGION": "us-east-1",
        }
    finally:
        server.stop()
