"""The AWS CLI, ready to run: most of what a call takes is the time until Python has read the CLI and AWS's data.

Prints its port. A connection carries a call and its outcome, each a JSON document on a line of its own. Every call is run
in a fork, as a fresh process would run it. Ends with stdin.
"""

import json
import os
import socketserver
import sys
import tempfile
import threading

from awscli.clidriver import create_clidriver

DATA = create_clidriver().session.get_component("data_loader")
for service in ("iam", "s3", "sts"):
    DATA.load_service_model(service, "service-2")
DATA.load_data("endpoints")


class Call(socketserver.StreamRequestHandler):
    def handle(self):
        call = json.loads(self.rfile.readline())
        os.environ.clear()
        os.environ.update(call["variables"])
        os.chdir(call["folder"])
        with tempfile.TemporaryFile() as stdout, tempfile.TemporaryFile() as stderr:
            os.dup2(stdout.fileno(), 1)
            os.dup2(stderr.fileno(), 2)
            driver = create_clidriver()
            driver.session.register_component("data_loader", DATA)
            outcome = {"code": driver.main(call["arguments"])}
            sys.stdout.flush()
            sys.stderr.flush()
            for name, file in (("stdout", stdout), ("stderr", stderr)):
                file.seek(0)
                outcome[name] = file.read().decode()
        self.wfile.write(json.dumps(outcome).encode() + b"\n")


class Server(socketserver.ForkingTCPServer):
    max_children = 100
    request_queue_size = 100


def end_with_stdin():
    sys.stdin.buffer.raw.read()
    os._exit(0)


with Server(("127.0.0.1", 0), Call) as server:
    print(server.server_address[1], flush=True)
    threading.Thread(target=end_with_stdin, daemon=True).start()
    server.serve_forever()
