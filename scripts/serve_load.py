"""Load a running server with requests, also with hostile ones, and print times; see docs/lab/2026-11.md.

    seq2seq serve --port 8000 &
    python scripts/serve_load.py http://127.0.0.1:8000 --clients 8 --seconds 20
    python scripts/serve_load.py http://127.0.0.1:8000 --clients 8 --seconds 20 --beside large
    python scripts/serve_load.py http://127.0.0.1:8000 --clients 8 --seconds 20 --beside hostile

Clients send short sentences, each after the answer to the one before, on connections that stay open. They are drawn
from 36,509, so that few are answered from what the server remembers. Beside them `large` sends texts of 100 kB all the
time, and `hostile` sends what servers have stumbled over.
"""

import argparse
import asyncio
import gzip
import json
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

SENTENCES = Path(__file__).resolve().parent.parent / "artifacts" / "tatoeba-en-de" / "train.en.gz"
SILENT, LEAVING = 200, 1000  # clients that send a byte a second; that leave without waiting


class Load:
    """A server under load, and what it answered.

    Args:
        url: its address.
        seconds: how long.
    """

    def __init__(self, url: str, seconds: float) -> None:
        self.host, self.port = urlsplit(url).hostname or "", urlsplit(url).port or 80
        self.end = time.monotonic() + seconds
        self.sentences = gzip.decompress(SENTENCES.read_bytes()).decode().splitlines()
        self.statuses = dict[str, Counter[int]]()
        self.times = dict[str, list[float]]()

    def request(self, body: bytes, kind: str = "application/json") -> bytes:
        """A whole request to /translate."""
        head = f"POST /translate HTTP/1.1\r\nHost: {self.host}:{self.port}\r\nContent-Type: {kind}\r\n"
        return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body

    def translation(self, q: str | list[str]) -> bytes:
        """A request to translate a text."""
        return self.request(json.dumps({"q": q, "source": "en", "target": "de"}).encode())

    async def client(self, name: str, body: Callable[[], bytes]) -> None:
        """Send requests, one after the answer to another."""
        reader = writer = None
        while time.monotonic() < self.end:
            if writer is None or reader is None:
                reader, writer = await asyncio.open_connection(self.host, self.port)
            begin = time.monotonic()
            try:
                writer.write(body())
                head = (await reader.readuntil(b"\r\n\r\n")).lower()
                await reader.readexactly(int(head.partition(b"content-length: ")[2].split(b"\r")[0]))
                status = int(head.split()[1])
            except (OSError, asyncio.IncompleteReadError):
                status, writer = 0, None
            self.statuses.setdefault(name, Counter())[status] += 1
            self.times.setdefault(name, []).append(time.monotonic() - begin)
        if writer:
            writer.close()

    def small(self) -> bytes:
        """A short sentence."""
        return self.translation(random.choice(self.sentences))

    def large(self) -> bytes:
        """A text of 100 kB."""
        words = "".join(f"{sentence} " for sentence in random.choices(self.sentences, k=4000))
        return self.translation(words[:99_000])

    def hostile(self) -> bytes:
        """One of the requests that servers stumble over."""
        return random.choice(
            [
                self.request(b'{"q": "\\ud800", "source": "en", "target": "de"}'),
                self.request(b'{"q": "\\u0000", "source": "en", "target": "de"}'),
                self.request(b'{"q": "\xff", "source": "en", "target": "de"}'),
                self.request(b'{"q":' * 10_000),
                self.request(b'{"q": "a", "alternatives": ' + b"9" * 5000 + b"}"),
                self.translation(["a"] * 19_000),
                self.translation(["x"] * 1900),
                self.translation("x" * 98_000),
            ]
        )

    async def leave(self) -> None:
        """Send requests and close at once."""
        while time.monotonic() < self.end:
            with suppress(OSError):
                for _ in range(LEAVING):
                    _, writer = await asyncio.open_connection(self.host, self.port)
                    writer.write(self.small())
                    writer.transport.abort()
            await asyncio.sleep(2)

    async def drip(self) -> None:
        """Send a byte a second."""
        while time.monotonic() < self.end:
            with suppress(OSError):
                _, writer = await asyncio.open_connection(self.host, self.port)
                for byte in self.small():
                    writer.write(bytes([byte]))
                    await writer.drain()
                    await asyncio.sleep(1)
                    if time.monotonic() > self.end:
                        return

    def report(self) -> None:
        """Print counts, requests a second, and times."""
        for name, times in self.times.items():
            ordered = sorted(times)
            half, most = (ordered[int(len(ordered) * share)] * 1000 for share in (0.5, 0.99))
            statuses = ", ".join(f"{count} times {status}" for status, count in sorted(self.statuses[name].items()))
            print(
                f"{name}: {len(times) / options.seconds:.1f} a second, p50 {half:.0f} ms, p99 {most:.0f} ms; {statuses}"
            )


async def main() -> None:
    """Run the clients."""
    load = Load(options.url, options.seconds)
    work: list[Awaitable[None]] = [load.client("small", load.small) for _ in range(options.clients)]
    if options.beside == "large":
        work.append(load.client("large", load.large))
    if options.beside == "hostile":
        work += [load.client("hostile", load.hostile), load.leave(), *(load.drip() for _ in range(SILENT))]
    await asyncio.gather(*work)
    load.report()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("url")
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--beside", choices=["large", "hostile"])
    options = parser.parse_args()
    asyncio.run(main())
