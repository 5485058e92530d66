"""A notebook's kernel, driven through its server as a page in a browser drives it, but without the page."""

import json
import struct
import uuid
from collections.abc import Iterator

import websocket

from tools.lab import Server

OUTPUTS = ("stream", "display_data", "execute_result", "error")


class Failed(Exception):
    """A cell ended with an error, or its kernel died; the message says which and why."""


class Kernel:
    """One session: a kernel in the folder of `path`, and the channel to it that the server relays.

    path: a notebook below the server's root, such as "notebooks/04_lstm.ipynb"; it need not exist.
    seconds: how long to wait for the next message before the kernel counts as lost.
    """

    def __init__(self, server: Server, path: str, seconds: float = 600):
        self.server, self.path = server, path
        asked = {"path": path, "name": path, "type": "notebook", "kernel": {"name": "python3"}}
        session = server.api("sessions", "POST", asked)
        self.session, self.id = session["id"], session["kernel"]["id"]
        address = f"{server.base.replace('http', 'ws', 1)}/api/kernels/{self.id}/channels"
        token = {"Authorization": f"token {server.token}"}
        self.socket = websocket.create_connection(
            f"{address}?session_id={self.session}", header=token, timeout=seconds
        )

    def run(self, code: str) -> list[dict]:
        """Run a cell to its end; the contents of its outputs. Raises Failed if it ends with an error."""
        return list(self.outputs(code))

    def outputs(self, code: str) -> Iterator[dict]:
        """The outputs of a cell as they come, each as its message's content with the message's `type`."""
        number = self.send(code)
        while True:
            message = self.receive()
            if message.get("parent_header", {}).get("msg_id") != number:
                continue
            kind, content = message["header"]["msg_type"], message["content"]
            if kind == "error":
                raise Failed(f"{self.path}: {content['ename']}: {content['evalue']} in\n{code}")
            if kind in OUTPUTS:
                yield {"type": kind, **content}
            if kind == "status" and content["execution_state"] == "idle":
                return

    def send(self, code: str) -> str:
        """Ask the kernel to run a cell; the request's number."""
        number = uuid.uuid4().hex
        header = {"msg_id": number, "msg_type": "execute_request", "session": self.session, "version": "5.3"}
        content = {"code": code, "silent": False, "store_history": True, "user_expressions": {}}
        message = {
            "channel": "shell", "header": {**header, "username": "", "date": ""}, "parent_header": {},
            "metadata": {}, "content": {**content, "allow_stdin": False, "stop_on_error": True},
        }  # fmt: skip
        self.socket.send(json.dumps(message))
        return number

    def receive(self) -> dict:
        """The next message on any channel, without its buffers."""
        try:
            frame = self.socket.recv()
        except (websocket.WebSocketException, OSError) as error:
            raise Failed(f"{self.path}: the kernel is silent or gone ({error})") from error
        if isinstance(frame, bytes):  # count, offsets, then the message as JSON and its buffers
            (count,) = struct.unpack("!i", frame[:4])
            begin, *ends = struct.unpack(f"!{count}I", frame[4 : 4 + 4 * count])
            frame = frame[begin : ends[0] if ends else len(frame)]
        return json.loads(frame)

    def close(self) -> None:
        """End the kernel and the session."""
        self.socket.close()
        self.server.api(f"sessions/{self.session}", "DELETE")
