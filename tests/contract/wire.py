"""A client of a few lines, so that tests see exactly what is on the wire: no redirect, no retry, no cookie."""

import http.client
import json
import socket
import threading

PATIENCE = 60


class Answer:
    def __init__(self, response):
        self.status = response.status
        self.headers = {name.lower(): value for name, value in response.getheaders()}
        self.body = response.read()

    def json(self):
        return json.loads(self.body)

    @property
    def kind(self):
        """The media type, without its parameters."""
        return self.headers.get("content-type", "").split(";")[0].strip()


def request_bytes(address, method, path, headers, body):
    lines = [f"{method} {path} HTTP/1.1", f"Host: {address}", "Connection: close"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    if body or method in ("POST", "PATCH"):
        if "Content-Length" not in headers:
            lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode() + body


def connect(address):
    host, port = address.rsplit(":", 1)
    return socket.create_connection((host, int(port)), timeout=PATIENCE)


def read(stream):
    response = http.client.HTTPResponse(stream)
    response.begin()
    answer = Answer(response)
    stream.close()
    return answer


def send(address, method, path, headers, body=b""):
    stream = connect(address)
    try:
        stream.sendall(request_bytes(address, method, path, headers, body))
    except (BrokenPipeError, ConnectionResetError):
        pass  # A server that refuses early closes while we still write; its answer is what counts.
    return read(stream)


def together(address, requests):
    """Answers to requests whose last bytes leave at the same moment."""
    streams = []
    for method, path, headers, body in requests:
        stream = connect(address)
        whole = request_bytes(address, method, path, headers, body)
        stream.sendall(whole[:-1])
        streams.append((stream, whole[-1:]))
    barrier = threading.Barrier(len(streams))
    answers = [None] * len(streams)

    def finish(index, stream, last):
        barrier.wait()
        stream.sendall(last)
        answers[index] = read(stream)

    threads = [threading.Thread(target=finish, args=(index, *pair)) for index, pair in enumerate(streams)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers
